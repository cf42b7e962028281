"""A server under measurement: a process pinned to one CPU, and what /proc says of it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_SECONDS = 20
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Started when the with block begins, stopped when it ends; its working folder is temporary."""

    def __init__(self, name, path, cpu, arguments=None, environment=None):
        """arguments: a function of the port that gives the command line's rest; None for a Redis-like server.
        environment: variables on top of ours."""
        self.name, self.path, self.cpu = name, path, cpu
        self.port = free_port()
        self.environment = {**os.environ, **(environment or {})}
        self.arguments = (arguments or redis_arguments)(self.port)

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="spinel-bench-")
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.process = subprocess.Popen(
            ["taskset", "-c", str(self.cpu), self.path, *self.arguments],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self._wait_until_it_accepts()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_until_it_accepts(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                raise SystemExit(f"{self.path} does not serve; it said:\n{self.log.read()}")
            try:
                self.connect().close()
                return
            except OSError:
                time.sleep(0.05)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def cpu_seconds(self):
        """utime + stime of all its threads so far."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError(f"{self.path} is gone")


def redis_arguments(port):
    return ["--port", str(port), "--bind", "127.0.0.1", "--io-threads", "1", "--save", "", "--appendonly", "no",
            "--maxclients", "15000"]


def version(path):
    """What `path --version` says, on one line; empty when it says nothing useful."""
    done = subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
    return " ".join(done.stdout.split()) if done.returncode == 0 else ""

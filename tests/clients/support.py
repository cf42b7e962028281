"""What every socket-level suite needs: servers on free ports, connections, a test runner.

A suite is a program that prints one line per test ("ok - name" or "not ok - name", the rest are
comments that start with "#") and exits with 0 only if all passed. `run` starts the suites; each can
also be started by hand: SPINEL_TEST_SERVER=/usr/bin/redis-server ./handshake_test.py

The same tests run against redis-server and valkey-server, which shows that the expectations are
right. What those two lack is listed in STAND_IN_GAPS by name; Spinel itself never skips anything.
"""

import contextlib
import ctypes
import functools
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest

from resp import Closed, Connection, Error, Verbatim

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFAULT_SERVER = ROOT / "build" / "release" / "spinel-server"

# Capabilities that Spinel has and a stand-in has not; see requires().
STAND_IN_GAPS = {
    "spinel": frozenset(),
    "redis": frozenset({
        "argument-limit",          # 1,048,576 arguments: Redis and Valkey allow 2,147,483,647
        "client-setinfo",          # since 7.2
        "config-name-nearest",     # they name the line, not the nearest known name
        "delifeq",                 # Valkey 9
        "disconnection-counters",  # since 7.2
        "garnet-flags",            # the command line of GarnetServer
        "handshake-deadline",      # TLS handshakes may take for ever
        "health-check",            # --check-health
        "hello-texts-of-7.2",      # the text of NOAUTH has changed
        "precise-expiry",          # active expiry every 100 ms
        "redis-version-7.2.4",
        "request-limit-before-auth",
        "s3-policies",             # allkeys-s3
        "set-ifeq",                # Valkey 8.1
        "strict-scan-cursor",      # takes -1
        "tls-auto-reload",         # looks at the certificate's files from time to time
        "tls-without-tickets",     # tls-session-caching no
        "tls-hints",               # tells who speaks TLS to the wrong port; start-up errors with a remedy
    }),
    "valkey": frozenset({
        "argument-limit",
        "comparable-to-redis",     # idle times of hours, unknown types in SCAN, and what follows
        "config-name-nearest",
        "delifeq",
        "freed-memory-returns",    # built with libc's malloc
        "garnet-flags",
        "handshake-deadline",
        "health-check",
        "pipelined-auth-errors",   # the unstable branch drops them while other replies are pending
        "precise-expiry",
        "request-limit-before-auth",
        "s3-policies",
        "tls-auto-reload",         # only when asked to
        "tls-hints",
        "tls-without-tickets",
        "unsubscribe-when-idle",   # the unstable branch answers NOSUB
    }),
}


def long_run():
    """True when the full-size variants were asked for (`run --long`)."""
    return os.environ.get("SPINEL_TEST_LONG") == "1"


def seed():
    """A seed for random input, printed; SPINEL_TEST_SEED replays a run."""
    value = int(os.environ.get("SPINEL_TEST_SEED", 0)) or secrets.randbits(32)
    print(f"# SPINEL_TEST_SEED={value}")
    return value


def server_binary():
    return pathlib.Path(os.environ.get("SPINEL_TEST_SERVER", DEFAULT_SERVER))


def reference_binary():
    """Debian's redis-server, or None where it is not installed."""
    return os.environ.get("SPINEL_TEST_REFERENCE") or shutil.which("redis-server")


@functools.lru_cache(maxsize=None)
def kind_of(binary):
    """'redis', 'valkey' or 'spinel', from the first word that --version prints."""
    text = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10).stdout
    word = text.split(maxsplit=1)[0].lower() if text.strip() else ""
    return word if word in ("redis", "valkey") else "spinel"


def lacks(capability, binary=None):
    """True if the server under test is a stand-in known not to have `capability`."""
    return capability in STAND_IN_GAPS[kind_of(str(binary or server_binary()))]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, timeout=10.0, interval=0.01):
    """Polls `condition` until it is truthy and returns its value; fails after `timeout` seconds.

    `what` says what was waited for, as text or as a function that is called on failure.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s for {what() if callable(what) else what}")
        time.sleep(interval)


def in_threads(functions):
    """Runs the functions side by side; the first failure is raised."""
    failures = []

    def guarded(function):
        try:
            function()
        except BaseException as error:  # noqa: BLE001: raised below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(function,), daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _die_with_parent():
    """In the child: SIGKILL when the suite ends, however it ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Server:
    """A server process of its own, on a free port, in a temporary directory.

    `options` are appended to the command line ("--requirepass", "secret"). start() returns when the
    server answers; stop() sends SIGTERM and returns the exit code.
    """

    def __init__(self, *options, binary=None, unixsocket=False):
        self.binary = str(binary or server_binary())
        self.options = [str(option) for option in options]
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="spinel-test-"))
        self.log = self.directory / "server.log"
        self.port = free_port()
        self.process = None
        if unixsocket:
            self.options += ["--unixsocket", str(self.directory / "server.sock")]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def kind(self):
        return kind_of(self.binary)

    @property
    def pid(self):
        return self.process.pid

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    @property
    def unixsocket(self):
        return self.directory / "server.sock"

    def command_line(self):
        line = [self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                "--dir", str(self.directory), "--enable-debug-command", "yes"]
        if self.kind == "valkey":
            line += ["--extended-redis-compatibility", "yes"]
        return line + self.options

    def start(self, attempts=3):
        """Starts the server; tries another port if somebody took ours in the meantime."""
        for attempt in range(attempts):
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    self.command_line(), stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, cwd=self.directory, preexec_fn=_die_with_parent)
            try:
                wait_until(self._answers, "the server to answer")
                return self
            except ChildProcessError:
                if attempt + 1 == attempts:
                    raise
                self.port = free_port()
        raise AssertionError("unreachable")

    def _answers(self):
        if self.process.poll() is not None:
            raise ChildProcessError(f"{self.binary} ended with {self.process.returncode}:\n"
                                    + self.log.read_text(errors="replace")[-2000:])
        try:
            with self.connect(timeout=2) as connection:
                return not is_loading(connection("PING"))
        except (OSError, Closed):
            return False

    def connect(self, protocol=2, timeout=10.0):
        connection = Connection(self.address, timeout)
        if protocol == 3:
            connection("HELLO", 3)
        return connection

    def restart(self):
        """Stops and starts again on the same port."""
        self.stop()
        self.start(attempts=1)

    def stop(self, signal_number=signal.SIGTERM, timeout=15):
        """Sends the signal and returns the exit code.

        Raises if the server outlives `timeout`, or if a sanitizer has reported something.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        code = self.process.wait(timeout)
        log = self.log.read_text(errors="replace")
        if "Sanitizer" in log or "runtime error:" in log:
            raise AssertionError(log[-20_000:])
        return code

    def close(self):
        """Ends the process, gently if possible, and removes its directory."""
        try:
            if self.process:
                self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def alive(self):
        return self.process.poll() is None

    def info(self, *sections):
        """INFO as a dictionary of strings."""
        with self.connect() as connection:
            return parse_info(connection("INFO", *sections))

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def is_loading(reply):
    """Whether the server answers that its data is not there yet."""
    return isinstance(reply, Error) and reply.text.startswith("LOADING")


def parse_info(text):
    data = text.data if isinstance(text, Verbatim) else text
    lines = data.decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line and line[0] != "#")


class ServerTestCase(unittest.TestCase):
    """One server per test class, started with OPTIONS; the keyspace is empty before every test.

    At the end the server must still be alive and end cleanly on SIGTERM.
    """

    OPTIONS = ()
    UNIXSOCKET = False
    TIMEOUT = 60  # seconds for one test
    longMessage = True
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.OPTIONS, unixsocket=cls.UNIXSOCKET).start()

    @classmethod
    def tearDownClass(cls):
        try:
            if not cls.server.alive():
                raise AssertionError("the server died:\n" + cls.server.log.read_text()[-2000:])
            code = cls.server.stop()
            if code != 0:
                raise AssertionError(f"the server ended with {code}:\n"
                                     + cls.server.log.read_text(errors="replace")[-2000:])
        finally:
            cls.server.close()

    def setUp(self):
        with contextlib.suppress(OSError, Closed):
            with self.server.connect() as connection:
                connection("FLUSHALL")

    def connect(self, protocol=2, timeout=10.0):
        """A connection that is closed when the test ends."""
        connection = self.server.connect(protocol, timeout)
        self.addCleanup(connection.close)
        return connection

    def requires(self, capability):
        """Skips the test on a stand-in that lacks `capability`. Spinel lacks none."""
        if lacks(capability):
            self.skipTest(f"{kind_of(str(server_binary()))} has no {capability}")


class _LineResult(unittest.TestResult):
    """Prints one line per test and the tracebacks as comments; limits every test's time."""

    def __init__(self):
        super().__init__()
        self.left_out = 0

    def startTest(self, test):
        super().startTest(test)
        signal.setitimer(signal.ITIMER_REAL, getattr(test, "TIMEOUT", 60))

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().stopTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        print(f"ok - {self._name(test)}", flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"ok - {self._name(test)} # SKIP {reason}", flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failed(subtest, err)

    def _failed(self, test, err):
        print(f"not ok - {self._name(test)}")
        for line in "".join(traceback.format_exception(*err, chain=False)).splitlines():
            print(f"#   {line[:2000]}")
        sys.stdout.flush()

    @staticmethod
    def _name(test):
        return test.id().removeprefix("__main__.").replace("\n", " ")


def _on_alarm(*_):
    raise TimeoutError("the test took too long")


def main():
    """Runs the tests of the calling program (all, or those named on the command line) and exits."""
    signal.signal(signal.SIGALRM, _on_alarm)
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    names = sys.argv[1:]
    suite = (loader.loadTestsFromNames(names, module) if names
             else loader.loadTestsFromModule(module))
    result = _LineResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)

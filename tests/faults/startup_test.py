#!/usr/bin/env python3
"""Starting with good and bad configuration, and stopping."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import support
from resp import OK, PONG, Closed, Connection, encode
from support import Server


class StartupTestCase(unittest.TestCase):
    TIMEOUT = 60

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="spinel-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def requires(self, capability):
        if support.lacks(capability):
            self.skipTest(f"the stand-in has no {capability}")

    def write(self, name, *lines):
        path = self.directory / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def start(self, *options, **arguments):
        """A running server, stopped when the test ends."""
        server = Server(*options, **arguments)
        self.addCleanup(server.close)
        return server.start()

    def refused(self, *arguments):
        """Starts the server with arguments that must stop it at once; returns what it prints."""
        done = subprocess.run([support.server_binary(), *map(str, arguments)], cwd=self.directory,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=10, check=False)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertGreater(done.returncode, 0, f"killed by a signal: {done.stdout}")
        return done.stdout


class Configuration(StartupTestCase):
    def start_with_file(self, *lines, options=()):
        """Starts with a configuration file in front of the command line's options."""
        path = self.write("server.conf", *lines)
        server = Server(*options)
        self.addCleanup(server.close)
        command_line = server.command_line()
        server.command_line = lambda: [command_line[0], str(path), *command_line[1:]]
        return server.start()

    def config(self, server, name):
        with server.connect() as connection:
            return connection("CONFIG", "GET", name)[1]

    def test_a_file_with_comments_quotes_and_includes(self):
        included = self.write("included.conf", "maxclients 321", "timeout 11")
        server = self.start_with_file(
            "# a comment", "", "   timeout   10   ", f"include {included}", "MaxMemory 64mb",
            'proc-title-template "a \\"quoted\\" {title}"', "maxmemory-policy 'allkeys-lru'",
            "client-output-buffer-limit pubsub 16mb 4mb 30")
        self.assertEqual(self.config(server, "timeout"), b"11")
        self.assertEqual(self.config(server, "maxclients"), b"321")
        self.assertEqual(self.config(server, "maxmemory"), str(64 << 20).encode())
        self.assertEqual(self.config(server, "maxmemory-policy"), b"allkeys-lru")
        self.assertIn(b"pubsub 16777216 4194304 30",
                      self.config(server, "client-output-buffer-limit"))

    def test_the_command_line_wins_over_the_file(self):
        server = self.start_with_file("timeout 10", "maxclients 300", options=("--timeout", "20"))
        self.assertEqual(self.config(server, "timeout"), b"20")
        self.assertEqual(self.config(server, "maxclients"), b"300")

    def test_values_of_the_command_line(self):
        server = self.start("--save", "60", "1", "--save", "300", "10", "--maxmemory", "1gb")
        self.assertEqual(self.config(server, "save"), b"60 1 300 10")
        self.assertEqual(self.config(server, "maxmemory"), str(1 << 30).encode())

    def test_directives_of_redis_that_mean_nothing_here_are_accepted(self):
        server = self.start_with_file(
            "appendfsync everysec", "hz 20", "activerehashing yes", "daemonize no", "supervised no",
            "set-proc-title yes", "lua-time-limit 5000", "jemalloc-bg-thread yes",
            "hash-max-listpack-entries 512", "stop-writes-on-bgsave-error yes",
            "rdbcompression yes", "replica-serve-stale-data yes", "io-threads-do-reads no",
            "oom-score-adj no",
            "latency-monitor-threshold 0", "loglevel notice", "tcp-backlog 511", "databases 16")
        self.assertEqual(self.config(server, "databases"), b"16")

    def test_an_unknown_name_in_a_file_stops_the_start_with_its_line(self):
        path = self.write("server.conf", "timeout 10", "# fine so far", "maxmemry 1gb")
        output = self.refused(path, "--port", support.free_port())
        self.assertRegex(output, r"(?i)\bline:? 3\b")
        self.assertIn("maxmemry", output)

    def test_an_unknown_name_suggests_the_nearest(self):
        self.requires("config-name-nearest")
        path = self.write("server.conf", "maxmemry 1gb")
        for arguments in ((path,), ("--maxmemry", "1gb")):
            output = self.refused(*arguments)
            self.assertIn("maxmemry", output)
            self.assertRegex(output, r"\bmaxmemory\b")

    def test_the_line_is_that_of_the_included_file(self):
        self.requires("config-name-nearest")
        included = self.write("included.conf", "timeout 10", "nonsense 1")
        path = self.write("server.conf", f"include {included}")
        output = self.refused(path)
        self.assertIn("included.conf", output)
        self.assertRegex(output, r"(?i)\bline:? 2\b|included.conf:2\b")

    def test_bad_values_stop_the_start(self):
        for name, value in (("port", "abc"), ("port", "65536"), ("maxclients", "-5"),
                            ("maxmemory", "1zb"), ("maxmemory-policy", "nonsense"),
                            ("databases", "0"), ("protected-mode", "maybe")):
            with self.subTest(name=name, value=value):
                self.assertIn(name, self.refused(f"--{name}", value))

    def test_missing_files_stop_the_start(self):
        self.assertIn("none.conf", self.refused(self.directory / "none.conf"))
        path = self.write("server.conf", f"include {self.directory}/missing.conf")
        self.assertIn("missing.conf", self.refused(path))

    def test_a_port_in_use_stops_the_start(self):
        server = self.start()
        output = self.refused("--port", server.port, "--bind", "127.0.0.1", "--save", "")
        self.assertIn("Address already in use", output)
        self.assertIn(str(server.port), output)

    def test_a_unix_socket_alone(self):
        path = self.directory / "alone.sock"
        process = subprocess.Popen([support.server_binary(), "--port", "0", "--save", "",
                                    "--unixsocket", path, "--unixsocketperm", "700"],
                                   cwd=self.directory, stdout=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        support.wait_until(path.exists, "the socket")
        self.assertEqual(path.stat().st_mode & 0o777, 0o700)
        with Connection(path) as connection:
            self.assertEqual(connection("PING"), PONG)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 0)
        self.assertFalse(path.exists(), "the socket is removed")

    def test_several_addresses(self):
        if not self.has_ipv6():
            self.skipTest("this machine has no IPv6")
        server = self.start("--bind", "127.0.0.1", "::1")
        for address in ("127.0.0.1", "::1"):
            with Connection((address, server.port)) as connection:
                self.assertEqual(connection("PING"), PONG)
                self.assertIn(f"addr={'[::1]' if ':' in address else address}:".encode(),
                              connection("CLIENT", "INFO"))

    @staticmethod
    def has_ipv6():
        try:
            with socket.create_server(("::1", 0), family=socket.AF_INET6):
                return True
        except OSError:
            return False

    def test_debug_must_be_allowed(self):
        server = self.start("--enable-debug-command", "no")
        with server.connect() as connection:
            reply = connection("DEBUG", "SLEEP", "0")
            self.assertRegex(reply.text, "^ERR DEBUG command not allowed. If the "
                                         "enable-debug-command option is set to \"local\"")

    def test_the_command_line_of_garnet(self):
        self.requires("garnet-flags")
        binary = self.directory / "GarnetServer"
        binary.symlink_to(support.server_binary())
        port = support.free_port()
        process = subprocess.Popen(
            [binary, "--port", str(port), "--protected-mode", "no", "--auth", "Password",
             "--password", "s3cret", "--checkpointdir", self.directory / "checkpoints", "--recover",
             "--aof", "--aof-commit-freq", "60000"], cwd=self.directory, stdout=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        connection = support.wait_until(lambda: self.try_to_connect(port), "the server")
        self.assertEqual(connection("AUTH", "s3cret"), OK)
        connection.close()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 0)

    @staticmethod
    def try_to_connect(port):
        try:
            return Connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            return None


class Stopping(StartupTestCase):
    def test_sigterm_and_sigint_end_it_with_success(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name):
                server = self.start()
                idle = server.connect()
                subscriber = server.connect(protocol=3)
                subscriber("SUBSCRIBE", "news")
                started = time.monotonic()
                self.assertEqual(server.stop(number), 0)
                self.assertLess(time.monotonic() - started, 5)
                self.assertTrue(idle.at_end())
                self.assertTrue(subscriber.at_end())

    def test_shutdown(self):
        server = self.start()
        connection = server.connect()
        connection.send("SHUTDOWN", "NOSAVE")
        self.assertTrue(connection.at_end())
        self.assertEqual(server.process.wait(10), 0)

    def test_sigterm_under_load(self):
        """Clients in the middle of pipelines and half-sent requests do not hold it up."""
        server = self.start()
        stop = threading.Event()
        threads = [threading.Thread(target=self.load, args=(server, stop)) for _ in range(4)]
        for thread in threads:
            thread.start()
        half = server.connect()
        half.write(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nxxx")
        time.sleep(0.3)
        started = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - started, 5)
        stop.set()
        for thread in threads:
            thread.join(10)

    @staticmethod
    def load(server, stop):
        pipeline = encode("INCR", "n") * 100
        try:
            connection = server.connect()
            while not stop.is_set():
                connection.write(pipeline)
                for _ in range(100):
                    connection.read()
        except (OSError, Closed):
            pass

    def test_the_same_port_is_free_at_once(self):
        server = self.start()
        clients = [server.connect() for _ in range(20)]
        for _ in range(3):
            server.restart()
        self.assertEqual(server.connect()("PING"), PONG)
        self.assertEqual(len(clients), 20)

    def test_a_hangup_of_the_terminal_does_not_end_it(self):
        server = self.start()
        os.kill(server.pid, signal.SIGHUP)
        os.kill(server.pid, signal.SIGPIPE)
        time.sleep(0.2)
        self.assertEqual(server.connect()("PING"), PONG)


if __name__ == "__main__":
    support.main()

#!/usr/bin/env python3
"""redis-cli as people and scripts use it: at a terminal, through pipes, with its scanning modes."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import support
from resp import OK, encode
from support import ServerTestCase

PROMPT = re.compile(r"127\.0\.0\.1:\d+(\[\d+\])?> $")
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """redis-cli on a pseudo terminal: its line editor, hints and colours are active."""

    def __init__(self, arguments):
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execvp(arguments[0], arguments)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self.text = ""

    def type(self, line):
        """Types a line, one key at a time, and returns what is shown until the next prompt."""
        self.text = ""
        self.press(line + "\r")
        return self.wait_for(PROMPT).split("\n", 1)[-1]

    def press(self, keys):
        for key in keys:
            os.write(self.descriptor, key.encode())
            self.read(0.005)

    def wait_for(self, pattern, timeout=10):
        """Reads until the screen matches, and returns it."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.shown()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {pattern!r} in {self.shown()!r}")
            self.read(0.05)
        return self.shown()

    def shown(self):
        """What the terminal shows: no control codes, of each redrawn line the last state."""
        text = TERMINAL_CODES.sub("", self.text).replace("\r\n", "\n")
        lines = ([state for state in line.split("\r") if state] for line in text.split("\n"))
        return "\n".join(states[-1] if states else "" for states in lines)

    def read(self, timeout):
        readable, _, _ = select.select([self.descriptor], [], [], timeout)
        if readable:
            self.text += os.read(self.descriptor, 65536).decode(errors="replace")

    def close(self):
        os.close(self.descriptor)
        os.waitpid(self.pid, 0)


class RedisCli(ServerTestCase):
    def arguments(self, *more):
        return ["redis-cli", "-p", str(self.server.port), *map(str, more)]

    def cli(self, *arguments, data=b"", timeout=30):
        """Runs redis-cli and returns what it prints; a failure's exit code fails the test."""
        done = subprocess.run(self.arguments(*arguments), input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False)
        output = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, output)
        return output

    def cli_until(self, pattern, *arguments, timeout=15):
        """Runs a mode that never ends until its output matches, and returns the output."""
        process = subprocess.Popen(self.arguments(*arguments), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = b""
        deadline = time.monotonic() + timeout
        try:
            while not re.search(pattern, output.decode(errors="replace"), re.DOTALL):
                self.assertLess(time.monotonic(), deadline, f"no {pattern!r} in {output!r}")
                if select.select([process.stdout], [], [], 0.1)[0]:
                    output += os.read(process.stdout.fileno(), 65536)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        return output.decode(errors="replace")

    def fill(self, count, value="x" * 10):
        with self.server.connect() as connection:
            replies = connection.pipeline(("SET", f"key:{i}", value) for i in range(count))
        self.assertEqual(replies, [OK] * count)

    def test_one_command(self):
        self.assertEqual(self.cli("SET", "k", "a b"), "OK\n")
        self.assertEqual(self.cli("GET", "k"), "a b\n")
        self.assertEqual(self.cli("--no-raw", "GET", "k"), '"a b"\n')
        self.assertEqual(self.cli("--no-raw", "GET", "none"), "(nil)\n")
        self.assertEqual(self.cli("-n", 3, "DBSIZE"), "0\n")

    def test_resp3(self):
        self.assertIn("redis_version:", self.cli("-3", "INFO", "server"))
        self.assertEqual(self.cli("-3", "--no-raw", "CONFIG", "GET", "databases"),
                         '1# "databases" => "16"\n')

    def test_interactive(self):
        terminal = Terminal(self.arguments())
        self.addCleanup(terminal.close)
        terminal.wait_for(PROMPT)
        self.assertIn("OK", terminal.type("set greeting hello"))
        self.assertIn('"hello"', terminal.type("get greeting"))
        self.assertIn("(integer) 1", terminal.type("incr visits"))
        self.assertIn("(error) ERR syntax error", terminal.type("set greeting hello wat"))
        self.assertIn("(error) ERR unknown command 'frobnicate'", terminal.type("frobnicate 1"))
        self.assertIn("OK", terminal.type("select 2"))
        self.assertIn("(nil)", terminal.type("get greeting"))
        self.assertIn("SET key value", terminal.type("help set"))
        self.assertIn("OK", terminal.type("select 0"))
        self.assertIn('1) "visits"', terminal.type("keys v*"))

    def test_interactive_hints_come_from_command_docs(self):
        """Tab completes a command's name, and a space shows its arguments."""
        terminal = Terminal(self.arguments())
        self.addCleanup(terminal.close)
        terminal.wait_for(PROMPT)
        terminal.press("getran\t")
        terminal.wait_for(r"GETRANGE")
        terminal.press(" ")
        terminal.wait_for(r"key.*start.*end")

    def test_interactive_with_resp3(self):
        terminal = Terminal(self.arguments("-3"))
        self.addCleanup(terminal.close)
        terminal.wait_for(PROMPT)
        self.assertIn('"databases" => "16"', terminal.type("config get databases"))

    def test_standard_input_gives_commands_and_last_arguments(self):
        self.assertEqual(self.cli(data=b"SET a 1\nINCR a\nGET a\n"), "OK\n2\n2\n")
        self.assertEqual(self.cli("-x", "SET", "blob", data=b"line 1\nline 2"), "OK\n")
        self.assertEqual(self.cli("GET", "blob"), "line 1\nline 2\n")

    def test_pipe(self):
        count = 20000
        data = b"".join(encode("SET", f"key:{i}", i) for i in range(count))
        output = self.cli("--pipe", data=data)
        self.assertIn("Last reply received from server.", output)
        self.assertIn(f"errors: 0, replies: {count}", output)
        self.assertEqual(self.cli("GET", "key:19999"), "19999\n")

    def test_pipe_reports_errors(self):
        data = encode("SET", "k", "x") + encode("INCR", "k") + encode("SET", "k", "y")
        done = subprocess.run(self.arguments("--pipe"), input=data, capture_output=True, timeout=30)
        output = (done.stdout + done.stderr).decode()
        self.assertIn("value is not an integer or out of range", output)
        self.assertIn("errors: 1, replies: 3", output)

    def test_scan(self):
        self.fill(1000)
        self.cli("SET", "other", "1")
        self.assertEqual(len(set(self.cli("--scan").split())), 1001)
        found = self.cli("--scan", "--pattern", "key:99?").split()
        self.assertEqual(sorted(found), [f"key:{i}" for i in range(990, 1000)])
        self.assertEqual(self.cli("--scan", "--pattern", "none*"), "")

    def test_stat(self):
        self.fill(100)
        output = self.cli_until(r"keys .*\n100 .*\n100 ", "--stat", "-i", "0.1")
        self.assertIn("clients", output)

    def test_bigkeys(self):
        self.fill(500)
        self.cli("SET", "giant", "x" * 5000)
        output = self.cli("--bigkeys")
        self.assertIn("Sampled 501 keys in the keyspace!", output)
        self.assertRegex(output, r'Biggest string found [\'"]*giant[\'"]* has 5000 bytes')

    def test_memkeys(self):
        self.fill(500)
        self.cli("SET", "giant", "x" * 5000)
        output = self.cli("--memkeys")
        self.assertIn("Sampled 501 keys in the keyspace!", output)
        self.assertRegex(output, r'Biggest string found [\'"]*giant[\'"]* has \d{4,} bytes')

    def test_memkeys_knows_every_type(self):
        self.cli(data=b"SADD set a b c\nRPUSH list 1 2 3\nZADD zset 1 a\nHSET hash f v\n"
                      b"SET string v\nSADD numbers 1 2 3\n")
        for mode in ("--memkeys", "--bigkeys"):
            output = self.cli(mode)
            self.assertIn("Sampled 6 keys in the keyspace!", output)
            for kind in ("string", "list", "set", "zset", "hash"):
                self.assertRegex(output, rf"Biggest +{kind} found ", mode)

    def test_memkeys_with_samples(self):
        self.cli("SADD", "set", *range(1000))
        output = self.cli("--memkeys-samples", 0)
        self.assertRegex(output, r'Biggest +set found [\'"]*set[\'"]* has \d{4,} bytes')

    def set_policy(self, policy):
        self.cli("CONFIG", "SET", "maxmemory-policy", policy)
        self.addCleanup(self.cli, "CONFIG", "SET", "maxmemory-policy", "noeviction")

    def check_hotkeys(self, policy):
        self.set_policy(policy)
        self.fill(200)
        self.cli("-r", 100, "-i", 0, "GET", "key:17")
        output = self.cli("--hotkeys")
        self.assertIn("Sampled 200 keys in the keyspace!", output)
        # The hottest comes first.
        first = re.search(r"hot key found with counter: (\d+)\s+keyname: (\S+)", output)
        self.assertIsNotNone(first, output)
        self.assertEqual(first[2].strip("\"'"), "key:17")

    def test_hotkeys(self):
        self.check_hotkeys("allkeys-lfu")

    def test_hotkeys_with_s3(self):
        self.requires("s3-policies")
        self.check_hotkeys("allkeys-s3")

    def test_hotkeys_needs_a_policy_that_counts(self):
        self.set_policy("allkeys-lru")
        self.fill(10)
        done = subprocess.run(self.arguments("--hotkeys"), capture_output=True, text=True,
                              timeout=10, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("An LFU maxmemory policy is not selected", done.stdout + done.stderr)

    def test_latency(self):
        output = self.cli_until(r"\d+ \d+ \d+\.\d+ \d+", "--latency", "--raw", "-i", "1")
        self.assertIsNotNone(output)

    def test_intrinsic_repetition(self):
        self.assertEqual(self.cli("-r", 5, "-i", 0, "INCR", "n"), "1\n2\n3\n4\n5\n")

    def test_client_list(self):
        output = self.cli("CLIENT", "LIST")
        self.assertRegex(output, r"^id=\d+ addr=[\d.]+:\d+ laddr=[\d.]+:\d+ fd=\d+ name= ")
        self.assertIn(" cmd=client|list ", output)

    def test_url_and_password(self):
        with support.Server("--requirepass", "s3cret") as server:
            url = f"redis://default:s3cret@127.0.0.1:{server.port}/4"
            done = subprocess.run(["redis-cli", "-u", url, "--no-auth-warning", "PING"],
                                  capture_output=True, text=True, timeout=10)
            self.assertEqual(done.stdout, "PONG\n")
            done = subprocess.run(["redis-cli", "-p", str(server.port), "PING"],
                                  capture_output=True, text=True, timeout=10)
            self.assertEqual(done.stdout, "NOAUTH Authentication required.\n\n")


class UnixSocket(ServerTestCase):
    UNIXSOCKET = True

    def test_commands_over_the_unix_socket(self):
        done = subprocess.run(["redis-cli", "-s", str(self.server.unixsocket)],
                              input="SET k v\nGET k\n", capture_output=True, text=True, timeout=10)
        self.assertEqual(done.stdout, "OK\nv\n")


if __name__ == "__main__":
    support.main()

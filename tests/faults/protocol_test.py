#!/usr/bin/env python3
"""Requests that are wrong, cut short, or arrive in odd pieces."""

import random
import socket
import time

import support
from resp import OK, PONG, Closed, Error, Simple, encode
from support import ServerTestCase

MEGABYTE = 1 << 20


class ProtocolTestCase(ServerTestCase):
    def tearDown(self):
        """Whatever a test has sent: the server still answers others."""
        self.assertEqual(self.connect()("PING"), PONG)


class MalformedRequests(ProtocolTestCase):
    """Each gets Redis's error text; the connection ends, since nothing after it can be trusted."""

    def assert_refused(self, request, text):
        """`request` is answered with the protocol error `text` and the end of the connection."""
        with self.subTest(request=request[:60]), self.server.connect() as connection:
            connection.write(request)
            self.assertEqual(connection.read(), Error(f"ERR Protocol error: {text}"))
            self.assertTrue(connection.at_end())

    def test_multibulk_lengths(self):
        for count in (b"abc", b"1x", b"x1", b"+1", b" 1", b"1 ", b"--1", b"0x10", b"1.0",
                      b"2147483648", b"9223372036854775807", b"9223372036854775808",
                      b"99999999999999999999"):
            self.assert_refused(b"*" + count + b"\r\n$4\r\nPING\r\n", "invalid multibulk length")

    def test_the_number_of_arguments_is_limited(self):
        self.requires("argument-limit")
        self.assert_refused(b"*1048577\r\n$4\r\nPING\r\n", "invalid multibulk length")

    def test_bulk_lengths(self):
        for size in (b"abc", b"4x", b"-1", b"-4", b"", b"+4", b" 4", b"536870913", b"2147483648",
                     b"9223372036854775807", b"9223372036854775808", b"99999999999999999999"):
            self.assert_refused(b"*1\r\n$" + size + b"\r\nPING\r\n", "invalid bulk length")

    def test_something_else_where_a_bulk_string_should_be(self):
        self.assert_refused(b"*1\r\nPING\r\n", "expected '$', got 'P'")
        self.assert_refused(b"*2\r\n$3\r\nGET\r\n:1\r\n", "expected '$', got ':'")
        self.assert_refused(b"*2\r\n$3\r\nGET\r\n*1\r\n", "expected '$', got '*'")

    def test_count_lines_that_never_end(self):
        self.assert_refused(b"*" + b"1" * 70_000, "too big mbulk count string")
        self.assert_refused(b"*1\r\n$" + b"1" * 70_000, "too big bulk count string")
        self.assert_refused(b"PING" + b" " * 70_000, "too big inline request")

    def test_unbalanced_quotes(self):
        for line in (b'SET k "v', b"SET k 'v", b'SET k "v"w', b"SET k 'v'w", b'"', b'SET k "\\"'):
            self.assert_refused(line + b"\r\n", "unbalanced quotes in request")

    def test_requests_before_the_malformed_one_are_answered(self):
        connection = self.connect()
        connection.write(encode("SET", "k", "v") + encode("GET", "k") + b"*1\r\nX\r\n"
                         + encode("SET", "k", "after"))
        self.assertEqual(connection.read(), OK)
        self.assertEqual(connection.read(), b"v")
        self.assertEqual(connection.read(), Error("ERR Protocol error: expected '$', got 'X'"))
        self.assertTrue(connection.at_end())
        self.assertEqual(self.connect()("GET", "k"), b"v")

    def test_the_bulk_limit_is_configurable(self):
        admin = self.connect()
        self.addCleanup(admin, "CONFIG", "SET", "proto-max-bulk-len", 512 * MEGABYTE)
        self.assertEqual(admin("CONFIG", "SET", "proto-max-bulk-len", MEGABYTE), OK)
        self.assert_refused(b"*2\r\n$3\r\nGET\r\n$%d\r\n" % (MEGABYTE + 1), "invalid bulk length")
        connection = self.connect()
        self.assertEqual(connection("SET", "k", "x" * MEGABYTE), OK)
        self.assertEqual(connection("APPEND", "k", "x"),
                         Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)"))

    def test_resp3_clients_get_the_same_errors(self):
        connection = self.connect(protocol=3)
        connection.write(b"*x\r\n")
        self.assertEqual(connection.read(), Error("ERR Protocol error: invalid multibulk length"))
        self.assertTrue(connection.at_end())


class OddButValidRequests(ProtocolTestCase):
    def test_empty_requests_are_ignored(self):
        connection = self.connect()
        connection.write(b"\r\n*0\r\n*-1\r\n*-10\r\n   \r\n\n" + encode("PING"))
        self.assertEqual(connection.read(), PONG)

    def test_inline_commands(self):
        connection = self.connect()
        for line, reply in ((b"PING\r\n", PONG),
                            (b"ping\n", PONG),
                            (b"  SET   k   v  \r\n", OK),
                            (b"GET k\r\n", b"v"),
                            (b'SET k "a b\\x41\\n\\"" \r\n', OK),
                            (b"GET k\r\n", b'a bA\n"'),
                            (b"SET k 'it\\'s'\r\n", OK),
                            (b"GET 'k'\r\n", b"it's"),
                            (b'ECHO ""\r\n', b""),
                            (encode("ECHO", "multibulk"), b"multibulk"),
                            (b"ECHO inline\r\n", b"inline")):
            connection.write(line)
            self.assertEqual(connection.read(), reply, line)

    def test_the_longest_inline_command(self):
        connection = self.connect()
        value = b"x" * 60_000
        connection.write(b"SET k " + value + b"\r\nGET k\r\n")
        self.assertEqual((connection.read(), connection.read()), (OK, value))

    def test_binary_arguments(self):
        connection = self.connect()
        everything = bytes(range(256)) * 3 + b"\r\n*1\r\n$4\r\nQUIT\r\n"
        self.assertEqual(connection("SET", everything, everything), OK)
        self.assertEqual(connection("GET", everything), everything)
        self.assertEqual(connection("ECHO", b""), b"")

    def test_a_pipeline_split_at_every_byte(self):
        value = bytes(range(256))
        commands = [("SET", "k", value), ("GET", "k"), ("STRLEN", "k"), ("GET", "none"),
                    ("NONSENSE",), ("DEL", "k"), ("SET", "", ""), ("GET", "")]
        expected = [OK, value, 256, None,
                    Error("ERR unknown command 'NONSENSE', with args beginning with: "), 1, OK, b""]
        request = b"".join(encode(*command) for command in commands) + b"PING\r\n"
        connection = self.connect()
        for split in range(1, len(request)):
            connection.write(request[:split])
            time.sleep(0.0005)  # lets the server see the pieces apart
            connection.write(request[split:])
            replies = [connection.read() for _ in expected]
            self.assertEqual(replies, expected, f"split at byte {split}")
            self.assertEqual(connection.read(), PONG)

    def test_slow_senders(self):
        """50 clients that send one byte at a time, interleaved, do not disturb each other."""
        clients = [self.connect() for _ in range(50)]
        requests = [encode("SET", f"key{i:02}", f"value{i:02}") + encode("GET", f"key{i:02}")
                    for i in range(50)]
        for column in zip(*requests, strict=True):
            for client, byte in zip(clients, column):
                client.write(bytes((byte,)))
        for i, client in enumerate(clients):
            self.assertEqual((client.read(), client.read()), (OK, f"value{i:02}".encode()))

    def test_a_value_that_arrives_in_small_pieces(self):
        value = random.Random(1).randbytes(3 * MEGABYTE + 17)
        request = encode("SET", "k", value) + encode("GET", "k")
        connection = self.connect()
        for start in range(0, len(request), 4093):
            connection.write(request[start:start + 4093])
        self.assertEqual(connection.read(), OK)
        self.assertEqual(connection.read(), value)

    def test_a_million_arguments(self):
        names = [b"key:%d" % i for i in range(500_000)]
        connection = self.connect(timeout=30)
        pairs = [part for name in names for part in (name, b"v")]
        self.assertEqual(connection("MSET", *pairs), OK)
        self.assertEqual(connection("DBSIZE"), 500_000)
        self.assertEqual(connection("DEL", *names, *names), 500_000)
        self.assertEqual(connection("DBSIZE"), 0)
        self.assertEqual(connection("PING"), PONG)

    def test_a_request_is_read_in_few_pieces(self):
        """Whatever its arguments are like: reading must not follow them one by one."""
        connection = self.connect(timeout=30)

        def reads():
            return int(self.server.info("stats")["total_reads_processed"])

        for count, size in ((200_000, 10), (300, 20_000), (2, 3_000_000)):
            arguments = [b"x" * size] * count
            before = reads()
            self.assertEqual(connection("DEL", *arguments), 0)
            self.assertLess(reads() - before, 400, (count, size))

    def test_100_000_commands_before_the_first_read(self):
        """The client writes everything before it reads: the server must not wait for it to read."""
        count = 100_000
        connection = self.connect(timeout=30)
        connection.write(b"".join(
            encode("INCR", "n") if i % 2 else encode("ECHO", i) for i in range(count)))
        for i in range(count):
            self.assertEqual(connection.read(), (i + 1) // 2 if i % 2 else str(i).encode())

    def test_20_mb_of_replies_before_the_first_read(self):
        connection = self.connect(timeout=30)
        connection("SET", "k", "x" * 1024)
        connection.write(encode("GET", "k") * 20_000)
        for _ in range(20_000):
            self.assertEqual(len(connection.read()), 1024)


class HalfClosed(ProtocolTestCase):
    """shutdown(SHUT_WR) says that no more requests come; replies are still wanted."""

    def finish(self, request):
        connection = self.connect(timeout=20)
        connection.write(request)
        connection.socket.shutdown(socket.SHUT_WR)
        return connection

    def test_a_request_still_gets_its_reply(self):
        connection = self.finish(encode("ECHO", "last words"))
        self.assertEqual(connection.read(), b"last words")
        self.assertTrue(connection.at_end())

    def test_a_pipeline_still_gets_its_replies(self):
        connection = self.finish(encode("INCR", "n") * 10_000)
        self.assertEqual([connection.read() for _ in range(10_000)], list(range(1, 10_001)))
        self.assertTrue(connection.at_end())

    def test_an_incomplete_request_is_dropped(self):
        connection = self.finish(encode("SET", "k", "v") + b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n")
        self.assertEqual(connection.read(), OK)
        self.assertTrue(connection.at_end())
        self.assertEqual(self.connect()("GET", "k"), b"v")

    def test_without_a_request_the_server_closes_too(self):
        self.assertTrue(self.finish(b"").at_end())

    def test_clients_that_vanish_in_the_middle_of_a_request_leave_nothing_behind(self):
        request = encode("SET", "k", "x" * 10_000)
        for size in (1, 5, 20, 100, 9_000):
            for _ in range(20):
                self.server.connect().write(request[:size])
        support.wait_until(lambda: self.server.info("clients")["connected_clients"] == "1",
                           "the clients to be forgotten")
        self.assertEqual(self.connect()("EXISTS", "k"), 0)


class Junk(ProtocolTestCase):
    def test_binary_junk(self):
        """Seeded random bytes, with enough of RESP in them to get past the first byte."""
        dice = random.Random(support.seed())
        fragments = (b"*", b"$", b"\r\n", b"\n", b"*1\r\n", b"*3\r\n", b"$3\r\nSET\r\n", b"$1\r\n",
                     b"-1", b"PING\r\n", b'"', b"'", b"\x00", b"HELLO 3\r\n")
        resident = self.server.resident_bytes()
        for _ in range(300):
            junk = b"".join(dice.choice(fragments) if dice.random() < 0.7
                            else dice.randbytes(dice.randrange(1, 200))
                            for _ in range(dice.randrange(1, 60)))
            with self.server.connect() as connection:
                self.drain(connection, junk)
        self.assertLess(self.server.resident_bytes() - resident, 16 * MEGABYTE)

    @staticmethod
    def drain(connection, junk):
        """Sends junk and reads whatever comes until the server closes."""
        try:
            connection.write(junk)
            connection.socket.shutdown(socket.SHUT_WR)
            while True:
                connection.read()
        except (Closed, ConnectionError, BrokenPipeError, OSError):
            pass

    def test_a_web_browser_cannot_run_commands(self):
        """Cross-protocol attack: a form post whose body is a command."""
        for request in (b"POST / HTTP/1.1\r\nHost: cache\r\n\r\nSET injected 1\r\n",
                        b"GET / HTTP/1.1\r\nHost: cache\r\n\r\nSET injected 1\r\n"):
            with self.server.connect() as connection:
                self.drain(connection, request)
        self.assertEqual(self.connect()("EXISTS", "injected"), 0)

    def test_announced_sizes_cost_nothing_until_the_bytes_come(self):
        resident = self.server.resident_bytes()
        for _ in range(50):
            self.connect().write(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nxxx")
            self.connect().write(b"*1048576\r\n$3\r\nDEL\r\n$1\r\nk\r\n")
        self.assertEqual(self.connect()("PING"), Simple("PONG"))
        self.assertLess(self.server.resident_bytes() - resident, 32 * MEGABYTE)


if __name__ == "__main__":
    support.main()

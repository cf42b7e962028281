#!/usr/bin/env python3
"""How requests reach the server: in pieces, big, while it is busy, from clients that are gone."""

import random
import re
import socket
import struct
import threading
import time

import support
from resp import OK, PONG, Simple, encode
from support import ServerTestCase


class Reading(ServerTestCase):
    """Nothing that a client sends is overlooked, whenever it comes, nor that it is gone."""

    OPTIONS = ("--io-threads", "2")

    def test_what_comes_while_a_script_of_the_same_client_takes_long(self):
        admin = self.connect()
        admin("CONFIG", "SET", "busy-reply-threshold", "1")
        for _ in range(3):
            client = self.connect()
            client.write(encode("EVAL", "local i = 0 while i < 1e7 do i = i + 1 end return i", "0"))
            for number in range(5):
                time.sleep(0.02)
                client.write(encode("ECHO", number))
            self.assertEqual(client.read(), 10_000_000)
            self.assertEqual([client.read() for _ in range(5)],
                             [str(number).encode() for number in range(5)])

    def test_requests_in_pieces_from_many_clients(self):
        dice = random.Random(support.seed())
        request = encode("ECHO", "x" * 300)
        clients = [self.connect() for _ in range(20)]
        for _ in range(100):
            for client in clients:
                cut = dice.randrange(len(request))
                client.write(request[:cut])
                if dice.random() < 0.2:
                    time.sleep(dice.random() * 0.002)
                client.write(request[cut:] + request * dice.randrange(3))
                client.write(encode("PING"))
            for client in clients:
                while client.read() != PONG:
                    pass

    def test_ends_that_come_right_behind_a_request(self):
        begin = time.monotonic()
        for _ in range(20):
            client = self.connect()
            client.write(encode("PING"))
            client.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(client.read(), PONG)
            self.assertTrue(client.at_end())
        self.assertLess(time.monotonic() - begin, 10)

    def test_clients_that_are_gone_before_their_request_is_read(self):
        admin = self.connect()
        for _ in range(50):
            client = self.server.connect()
            client.write(encode("SET", "k", "v"))
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.close()
        support.wait_until(lambda: len(admin("CLIENT", "LIST").splitlines()) == 1,
                           "the clients to be forgotten")


class BigRequests(ServerTestCase):
    """Big values take the buffer they have arrived in with them; nothing else may notice."""

    OPTIONS = ("--io-threads", "2", "--slowlog-log-slower-than", "0")
    SIZES = (16_000, 16_384, 65_500, 65_536, 70_000, 100_000, 400_000, 1_000_000, 3_000_000)

    def value(self, size, mark):
        text = f"<{mark}:{size}>".encode()
        return text + b"v" * (size - 2 * len(text)) + text

    def test_every_size_alone_and_with_requests_behind_it(self):
        client = self.connect(timeout=30)
        for behind in (0, 1, 40):
            for size in self.SIZES:
                value = self.value(size, behind)
                requests = [("SET", f"k:{size}", value), *[("ECHO", number) for number in range(behind)],
                            ("STRLEN", f"k:{size}"), ("GET", f"k:{size}")]
                replies = client.pipeline(requests)
                self.assertEqual([OK, *[str(number).encode() for number in range(behind)], size, value],
                                 replies)
        for size in self.SIZES:
            self.assertEqual(self.value(size, 40), client("GET", f"k:{size}"))

    def test_every_command_that_stores_a_value(self):
        client = self.connect(timeout=30)
        one, two = self.value(100_000, 1), self.value(120_000, 2)
        for _ in range(3):
            client("DEL", "s", "h", "a", "b", "n")
            self.assertEqual(OK, client("SETEX", "s", 100, one))
            self.assertEqual(one, client("GETSET", "s", two))
            self.assertEqual(two, client("SET", "s", one, "GET"))
            self.assertEqual(None, client("SET", "s", two, "NX"))
            self.assertEqual(one, client("GET", "s"))
            self.assertEqual(1, client("SETNX", "n", two))
            self.assertEqual(1, client("HSET", "h", "f", one))
            self.assertEqual(one, client("HGET", "h", "f"))
            self.assertEqual(1, client("HSET", "h", "g", two))
            self.assertEqual([one, two], client("HMGET", "h", "f", "g"))
            self.assertEqual(OK, client("MSET", "a", one, "b", two))
            self.assertEqual([one, two], client("MGET", "a", "b"))
            self.assertEqual(200_000, client("APPEND", "a", one))
            self.assertEqual(one + one, client("GET", "a"))
            self.assertEqual(120_000, client("SETRANGE", "b", 119_999, "!"))
            self.assertEqual(two[:-1] + b"!", client("GET", "b"))
            self.assertEqual([OK, Simple("QUEUED"), Simple("QUEUED"), [OK, two]], client.pipeline(
                [("MULTI",), ("SET", "s", two), ("GET", "s"), ("EXEC",)]))

    def test_pieces(self):
        client, dice = self.connect(timeout=30), random.Random(support.seed())
        for _ in range(15):
            size = dice.randrange(20_000, 600_000)
            value = self.value(size, "p")
            data = encode("SET", "k", value) + encode("APPEND", "k", "tail") + encode("GET", "k")
            while data:
                cut = dice.choice((1, 100, 16_384, 65_536, len(data)))
                client.write(data[:cut])
                data = data[cut:]
                time.sleep(dice.random() * 0.002)
            self.assertEqual([OK, size + 4, value + b"tail"], [client.read() for _ in range(3)])

    def test_readers_writers_and_those_who_remove(self):
        """Each value that is read is one that was written, whole."""
        deadline, failures = time.monotonic() + 3, []

        def work(number):
            client, dice = self.connect(timeout=30), random.Random(support.seed() + number)
            while time.monotonic() < deadline and not failures:
                size = dice.choice((20_000, 100_000, 300_000))
                key = f"k:{dice.randrange(4)}"
                replies = client.pipeline([
                    ("SET", key, self.value(size, number)), ("GET", key), ("APPEND", key, b"."),
                    dice.choice((("DEL", key), ("UNLINK", key), ("STRLEN", key))), ("GET", key)])
                for reply in (replies[1], replies[4]):
                    value = (reply or b"").rstrip(b".")  # APPEND may have come behind a DEL
                    mark = value[:value.find(b">") + 1]
                    if value and (not value.endswith(mark) or
                                  len(value) != int(mark.rpartition(b":")[2][:-1])):
                        failures.append(value[:40])

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], failures)

    def test_the_buffer_stays_for_the_next_and_goes_when_the_client_is_idle(self):
        admin, client = self.connect(), self.connect(timeout=30)
        number = client("CLIENT", "ID")

        def held():
            line = admin("CLIENT", "LIST", "ID", number).decode()
            return sum(int(re.search(rf" {name}=(\d+)", line)[1]) for name in ("qbuf", "qbuf-free"))

        self.assertEqual(0, held())
        client("SET", "k", self.value(400_000, 1))
        self.assertGreaterEqual(held(), 400_000)
        self.assertLess(held(), 420_000)
        support.wait_until(lambda: client("PING") == PONG and held() < 40_000, "the peak to pass")
        self.assertGreater(held(), 0)
        support.wait_until(lambda: held() == 0, "an idle client to give it back")
        # The same for a request that is never finished, and what has come of it stays.
        client.write(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n")
        support.wait_until(lambda: held() >= 1_000_000, "room for what is announced")
        support.wait_until(lambda: held() < 1000, "the room to go")
        client.write(b"w" * 1_000_000 + b"\r\n")
        self.assertEqual(OK, client.read())
        self.assertEqual(b"w" * 1_000_000, client("GET", "k"))


if __name__ == "__main__":
    support.main()

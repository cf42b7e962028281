#!/usr/bin/env python3
"""maxmemory holds: the resident memory of the process under a load whose sizes shift, and the refusals."""

import contextlib
import random
import socket
import time

import support
from resp import OK, PONG, Error, Push, encode
from support import ServerTestCase

MB = 1 << 20
LIMIT = 256 * MB


class ShiftingSizes(ServerTestCase):
    """SET, DEL and APPEND of values from 10 bytes to 1 MB, mostly of a size that drifts."""

    OPTIONS = ("--maxmemory", str(LIMIT), "--maxmemory-policy", "allkeys-lru", "--save", "")
    TIMEOUT = 700
    KEYS = 200_000

    def load(self, seconds):
        chance = random.Random(support.seed())
        connection = self.connect(timeout=60)
        block = chance.randbytes(MB)
        begin, worst, written = time.monotonic(), 0, 0
        while (elapsed := time.monotonic() - begin) < seconds:
            # From small to big and back, three times in a run.
            phase = abs((elapsed / seconds * 3) % 1 * 2 - 1)
            middle = 10 * (MB / 10) ** (1 - phase)
            batch, budget = [], 2 * MB
            while len(batch) < 256 and budget > 0:
                size = int(min(MB, max(10, middle * chance.lognormvariate(0, 1))))
                name = f"k:{chance.randrange(self.KEYS)}"
                kind = chance.random()
                if kind < 0.7:
                    batch.append(("SET", name, block[:size]))
                elif kind < 0.85:
                    batch.append(("APPEND", name, block[:min(size, 64 * 1024)]))
                else:
                    batch.append(("DEL", name))
                budget -= size
            for request, reply in zip(batch, connection.pipeline(batch)):
                self.assertNotIsInstance(reply, Error, request[:2])
            written += 2 * MB - budget
            worst = max(worst, self.server.resident_bytes())
        print(f"# {written / MB:.0f} MB written, at most {worst / MB:.1f} MB resident")
        return worst

    def test_resident_memory_stays_within_the_limit(self):
        worst = self.load(600 if support.long_run() else 15)
        self.assertLessEqual(worst, 1.05 * LIMIT + 32 * MB)
        self.assertGreater(int(self.server.info("stats")["evicted_keys"]), 0)


class NoEviction(ServerTestCase):
    OPTIONS = ("--maxmemory", str(64 * MB), "--save", "")

    def test_writes_are_refused_and_reads_go_on(self):
        connection = self.connect(timeout=30)
        value, reply, count = b"x" * 100_000, OK, 0
        while reply == OK and count < 2000:
            reply = connection("SET", f"k:{count}", value)
            count += 1
        self.assertEqual(Error("OOM command not allowed when used memory > 'maxmemory'."), reply)
        self.assertEqual(value, connection("GET", "k:0"))
        for number in range(count):
            connection("DEL", f"k:{number}")
        support.wait_until(lambda: connection("SET", "k", "v") == OK, "room")


class SlowReaders(ServerTestCase):
    """What clients leave unread costs no key."""

    OPTIONS = ("--maxmemory", str(96 * MB), "--maxmemory-policy", "allkeys-lru", "--save", "")
    VALUE = b"x" * 1000
    KEYS = 30_000
    REQUESTS = 200_000

    def setUp(self):
        super().setUp()
        self.connection = self.connect(timeout=60)
        self.connection.pipeline([("SET", f"k:{number}", self.VALUE) for number in range(self.KEYS)])

    def unread_pipeline(self):
        """A client that has asked for 200 MB and read nothing yet."""
        client = self.connect(timeout=60)
        number = client("CLIENT", "ID")
        before = self.bytes_from(number)
        requests = b"".join(encode("GET", f"k:{index % self.KEYS}") for index in range(self.REQUESTS))
        client.write(requests)
        support.wait_until(lambda: self.bytes_from(number) == before + len(requests), "all requests to arrive")
        return client

    def bytes_from(self, number):
        line = self.connection("CLIENT", "LIST", "ID", number).decode()
        return int(line.split(" tot-net-in=")[1].split()[0])

    def assert_all_keys(self):
        self.assertEqual(self.KEYS, self.connection("DBSIZE"))

    def test_a_huge_pipeline_waits_for_its_reader(self):
        client = self.unread_pipeline()
        self.assertLess(int(self.server.info("memory")["mem_clients_normal"]), 40 * MB)
        for _ in range(self.REQUESTS):
            self.assertEqual(self.VALUE, client.read())
        self.assertEqual(PONG, client("PING"))
        self.assert_all_keys()

    def test_who_is_done_sending_still_gets_all_replies(self):
        client = self.unread_pipeline()
        client.socket.shutdown(socket.SHUT_WR)
        for _ in range(self.REQUESTS):
            self.assertEqual(self.VALUE, client.read())
        self.assertTrue(client.at_end())
        self.assert_all_keys()

    def test_messages_that_nobody_reads_cost_their_reader(self):
        self.connection("CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0")
        reader = self.connect(timeout=60)
        reader("SUBSCRIBE", "news")
        message = b"m" * 100_000
        for _ in range(1000):
            self.connection("PUBLISH", "news", message)
        support.wait_until(lambda: self.connection("PUBLISH", "news", message) == 0, "the subscriber's end")
        self.assert_all_keys()


class UnfinishedRequests(ServerTestCase):
    """What clients send and never finish: it goes when they go, and can be kept apart from the keys."""

    OPTIONS = ("--maxmemory", "11mb", "--maxmemory-policy", "allkeys-lru", "--io-threads", "2", "--save", "")
    KEYS = 50

    def fill(self):
        self.connection("FLUSHDB")
        for number in range(self.KEYS):
            self.assertEqual(100_001, self.connection("SETRANGE", number, 100_000, "x"))

    def send_unfinished(self):
        clients = [self.connect(timeout=30) for _ in range(30)]
        for client in clients:
            with contextlib.suppress(OSError):  # it may be cut
                client.write(b"*250\r\n" + encode("x" * 1000)[4:] * 249)
        return clients

    def setUp(self):
        super().setUp()
        self.connection = self.connect(timeout=30)
        self.connection("CLIENT", "NO-EVICT", "on")
        self.fill()

    def test_who_closes_gives_it_back(self):
        for client in self.send_unfinished():
            client.close()
        self.connection("FLUSHDB")
        # The other loop may not have heard of all ends yet.
        support.wait_until(lambda: self.connection("SETRANGE", 0, 100_000, "x") == 100_001, "room")
        self.fill()

    def test_maxmemory_clients_keeps_it_from_the_keys(self):
        self.connection("CONFIG", "SET", "maxmemory-clients", "3mb")
        clients = self.send_unfinished()
        support.wait_until(lambda: int(self.server.info("stats")["evicted_clients"]) > 10, "clients to be cut")
        self.assertEqual(self.KEYS, self.connection("DBSIZE"))
        for client in clients:
            client.close()
        self.connection("CONFIG", "SET", "maxmemory-clients", "0")


class TrackedKeys(ServerTestCase):
    OPTIONS = ("--io-threads", "2", "--maxmemory-policy", "volatile-random", "--save", "")

    def test_who_loses_a_key_to_a_request_of_its_own_hears_of_it_first(self):
        client = self.connect(3)
        self.assertEqual(OK, client("CLIENT", "TRACKING", "ON"))
        used = int(self.server.info("memory")["used_memory"])
        client("CONFIG", "SET", "maxmemory", used + 200 * 1024)
        client("SETEX", "k", "1000", "x")
        self.assertEqual(b"x", client("GET", "k"))
        self.assertEqual(0, client("SETBIT", "big", "3200000", "0"))
        client.write(encode("GETBIT", "big", "0"))
        self.assertEqual(Push([b"invalidate", [b"k"]]), client.read())
        self.assertEqual(0, client.read())


class LittleRoom(ServerTestCase):
    """Limits next to what an empty server takes: what counts then is the data, not the process."""

    OPTIONS = ("--io-threads", "2", "--save", "")

    def fill_again_and_again(self, limit, policy):
        connection = self.connect(timeout=30)
        connection("CONFIG", "SET", "maxmemory-policy", policy)
        connection("CONFIG", "SET", "maxmemory", limit)
        for start in range(0, 20_000, 500):
            batch = [("SET", f"k:{number}", "v" * 100) for number in range(start, start + 500)]
            self.assertEqual([], [reply for reply in connection.pipeline(batch) if reply != OK][:3])
        self.assertGreater(int(self.server.info("stats")["evicted_keys"]), 0)
        self.assertGreater(connection("DBSIZE"), 100)
        connection("CONFIG", "SET", "maxmemory", "0")

    def test_three_megabytes_can_be_filled_again_and_again(self):
        self.fill_again_and_again("3mb", "allkeys-lru")

    def test_two_megabytes_can_be_filled_again_and_again(self):
        self.fill_again_and_again("2mb", "allkeys-s3")


class LoweredLimit(LittleRoom):
    """The same where there was a limit from the start, and more loops."""

    OPTIONS = ("--io-threads", "4", "--maxmemory", "300mb", "--save", "")


class EmptyServer(ServerTestCase):
    OPTIONS = ("--io-threads", "16", "--save", "")

    def test_loops_that_have_nothing_take_next_to_nothing(self):
        connection = self.connect()
        self.assertEqual(PONG, connection("PING"))
        self.assertLess(self.server.resident_bytes(), 24 * MB)

    def test_what_is_big_gets_huge_pages(self):
        connection = self.connect(timeout=60)
        value = b"x" * 1000
        for start in range(0, 120_000, 1000):
            connection.pipeline([("SET", f"k:{number}", value) for number in range(start, start + 1000)])
        if self.kernel_gives_huge_pages():
            self.assertGreater(self.bytes_in_huge_pages(), 16 * MB)

    @staticmethod
    def kernel_gives_huge_pages():
        try:
            with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as file:
                return "[never]" not in file.read()
        except FileNotFoundError:
            return False

    def bytes_in_huge_pages(self):
        with open(f"/proc/{self.server.pid}/smaps_rollup", encoding="ascii") as rollup:
            return sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith("AnonHugePages:"))


class ManyArguments(ServerTestCase):
    OPTIONS = ("--io-threads", "2", "--save", "")

    def used(self):
        return int(self.server.info("memory")["used_memory"])

    def test_a_request_with_many_arguments_leaves_nothing_behind(self):
        connection = self.connect(timeout=30)
        connection("PING")
        before = self.used()
        connection("SADD", "s", *range(100_000))
        connection("UNLINK", "s")
        support.wait_until(lambda: self.used() < before + 512 * 1024, "memory given back")


if __name__ == "__main__":
    support.main()

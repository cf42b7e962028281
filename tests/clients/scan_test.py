#!/usr/bin/env python3
"""SCAN's promise: a key that is there from the start of a scan to its end is returned."""

import random

import support
from support import ServerTestCase

GROWN = 1_000_000 if support.long_run() else 200_000
KEPT = 1000
STEP = 2000  # keys added or removed between two calls of SCAN


class Scan:
    """One iteration over the keyspace, advanced call by call."""

    def __init__(self, connection, count, *options):
        self.connection = connection
        self.options = ("COUNT", count, *options)
        self.cursor = b"0"
        self.found = set()
        self.done = False

    def advance(self, calls=1):
        for _ in range(calls):
            if not self.done:
                self.cursor, keys = self.connection("SCAN", self.cursor, *self.options)
                self.found.update(keys)
                self.done = self.cursor == b"0"
        return self

    def finish(self):
        while not self.done:
            self.advance()
        return self.found


class ScanGuarantee(ServerTestCase):
    TIMEOUT = 240

    def setUp(self):
        super().setUp()
        self.connection = self.connect(timeout=30)
        self.kept = {b"kept:%d" % i for i in range(KEPT)}
        self.connection.pipeline(("SET", key, "v") for key in self.kept)

    def add(self, start, stop):
        pairs = (part for i in range(start, stop) for part in (f"key:{i}", "v"))
        self.connection("MSET", *pairs)

    def remove(self, start, stop):
        self.connection("DEL", *(f"key:{i}" for i in range(start, stop)))

    def test_while_the_table_grows(self):
        """Slow scans that see all of the growth, and one that starts at every stage of it."""
        slow = [Scan(self.connection, count) for count in (1, 7)]
        started = []
        for size in range(0, GROWN, STEP):
            self.add(size, size + STEP)
            for scan in slow:
                scan.advance(2)
            started.append(Scan(self.connection, 10).advance(3))
            for scan in started:
                scan.advance()
        scans = slow + started[:: len(started) // 5]
        for scan in scans:
            scan.options = ("COUNT", 5000)
            self.assertEqual(self.kept - scan.finish(), set())
        self.assertEqual(self.connection("DBSIZE"), KEPT + GROWN)

    def test_while_the_table_shrinks(self):
        for size in range(0, GROWN, 20_000):
            self.add(size, size + 20_000)
        scans = [Scan(self.connection, count) for count in (1, 50, 500)]
        for size in range(0, GROWN, STEP):
            for scan in scans:
                scan.advance()
            self.remove(size, size + STEP)
        for scan in scans:
            scan.options = ("COUNT", 1000)
            self.assertEqual(self.kept - scan.finish(), set())
        self.assertEqual(Scan(self.connection, 1000).finish(), self.kept)

    def test_while_keys_come_and_go(self):
        dice = random.Random(support.seed())
        scan = Scan(self.connection, 3)
        while not scan.done:
            scan.advance(5)
            start = dice.randrange(50_000)
            (self.add if dice.random() < 0.5 else self.remove)(start, start + 200)
        self.assertEqual(self.kept - scan.found, set())

    def test_every_count_returns_every_key(self):
        for count in (1, 2, 10, 1000, 100_000):
            self.assertEqual(Scan(self.connection, count).finish(), self.kept)

    def test_filters(self):
        self.assertEqual(Scan(self.connection, 10, "MATCH", "kept:99?").finish(),
                         {b"kept:99%d" % i for i in range(10)})
        self.assertEqual(Scan(self.connection, 10, "TYPE", "string").finish(), self.kept)
        self.assertEqual(Scan(self.connection, 10, "TYPE", "hash").finish(), set())

    def test_expired_keys_are_not_returned(self):
        self.connection("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        self.addCleanup(self.connection, "DEBUG", "SET-ACTIVE-EXPIRE", "1")
        self.connection.pipeline(("SET", f"short:{i}", "v", "PX", 1) for i in range(1000))
        support.time.sleep(0.01)
        self.assertEqual(Scan(self.connection, 100).finish(), self.kept)


if __name__ == "__main__":
    support.main()

#!/usr/bin/env python3
"""Clients that never read: they are cut, memory stays bounded, others notice nothing."""

import contextlib
import threading
import time

import support
from resp import OK, PONG, encode
from support import ServerTestCase

MEGABYTE = 1 << 20
LIMIT = 16 * MEGABYTE
READERS = 4


class SlowReaders(ServerTestCase):
    OPTIONS = ("--client-output-buffer-limit", f"normal {LIMIT} 0 0", "--io-threads", "2")

    def never_read(self, request):
        """Sends `request`, whose replies exceed what the server will buffer, and reads nothing."""
        connection = self.connect()
        connection("CLIENT", "SETNAME", "slow")
        connection.socket.settimeout(0.5)
        with contextlib.suppress(OSError):  # cut already, or the server has stopped reading
            connection.write(request)

    def watch(self, until, timeout=20):
        """PINGs on another connection until `until()`; returns (slowest answer in s, peak RSS)."""
        bystander = self.connect()
        deadline = time.monotonic() + timeout
        slowest, peak = 0.0, 0
        while not until():
            self.assertLess(time.monotonic(), deadline, "the slow reader was not cut")
            started = time.monotonic()
            self.assertEqual(bystander("PING"), PONG)
            slowest = max(slowest, time.monotonic() - started)
            peak = max(peak, self.server.resident_bytes())
            time.sleep(0.001)
        return slowest, peak

    def assert_cut(self, request):
        """READERS clients send `request` and never read: all are cut, nobody else suffers."""
        admin = self.connect()
        before = self.server.resident_bytes()
        threads = [threading.Thread(target=self.never_read, args=(request,), daemon=True)
                   for _ in range(READERS)]
        for thread in threads:
            thread.start()

        def all_cut():
            return (not any(thread.is_alive() for thread in threads)
                    and b" name=slow " not in admin("CLIENT", "LIST"))

        slowest, peak = self.watch(all_cut)
        print(f"# slowest PING {slowest * 1000:.1f} ms, RSS +{(peak - before) / MEGABYTE:.0f} MB")
        self.assertLess(slowest, 0.25)
        self.assertLess(peak - before, READERS * 2 * LIMIT + 32 * MEGABYTE)

    def test_large_values(self):
        self.assertEqual(self.connect()("SET", "k", "x" * MEGABYTE), OK)
        self.assert_cut(encode("GET", "k") * 2000)

    def test_small_values(self):
        self.assertEqual(self.connect()("SET", "k", "x" * 1000), OK)
        self.assert_cut(encode("GET", "k") * 100_000)

    def test_a_subscriber_that_does_not_read(self):
        admin = self.connect(timeout=30)
        self.assertEqual(
            admin("CONFIG", "SET", "client-output-buffer-limit", f"pubsub {4 * MEGABYTE} 0 0"), OK)
        sleeper = self.connect()
        sleeper("SUBSCRIBE", "news")
        before = self.server.resident_bytes()
        message = "x" * 100_000
        receivers = [admin("PUBLISH", "news", message) for _ in range(500)]
        self.assertEqual(receivers[0], 1)
        self.assertEqual(receivers[-1], 0, "still subscribed after 50 MB of unread messages")
        self.assertLess(self.server.resident_bytes() - before, 32 * MEGABYTE)

    def test_a_client_that_reads_late_loses_nothing_below_the_limit(self):
        connection = self.connect()
        connection("SET", "k", "x" * 10_000)
        connection.write(encode("GET", "k") * 1000)
        time.sleep(0.5)
        self.assertEqual({len(connection.read()) for _ in range(1000)}, {10_000})


if __name__ == "__main__":
    support.main()

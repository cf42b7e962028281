#!/usr/bin/env python3
"""Collections of many elements: deleting, overwriting and expiring them holds nobody up."""

import threading
import time

import support
from resp import encode
from support import ServerTestCase

# What the server itself may need for the command, in microseconds. (The goal is 1 ms; a machine that
# takes the CPU away in between must not fail the test, so the best of three counts.)
LIMIT_US = 1000


class BigValues(ServerTestCase):
    OPTIONS = ("--io-threads", "2", "--enable-debug-command", "yes")

    def elements(self):
        return 10_000_000 if support.long_run() else 200_000

    def fill(self, connection, kind, key):
        """Makes a collection of elements() elements."""
        per_command, per_batch = 1000, 20
        add = {
            "list": lambda i: ("RPUSH", key, *range(i, i + per_command)),
            "set": lambda i: ("SADD", key, *(f"member:{j}" for j in range(i, i + per_command))),
            "hash": lambda i: ("HSET", key, *(part for j in range(i, i + per_command)
                                              for part in (f"field:{j}", j))),
            "zset": lambda i: ("ZADD", key, *(part for j in range(i, i + per_command)
                                              for part in (j, f"member:{j}"))),
        }[kind]
        starts = range(0, self.elements(), per_command)
        for first in range(0, len(starts), per_batch):
            commands = [add(i) for i in starts[first:first + per_batch]]
            connection.write(b"".join(encode(*command) for command in commands))
            for _ in commands:
                connection.read()

    def microseconds(self, connection, command):
        """Of all calls of a command since the last CONFIG RESETSTAT."""
        text = connection("INFO", "commandstats").decode()
        line = next(line for line in text.splitlines() if line.startswith(f"cmdstat_{command}:"))
        return int(dict(pair.split("=") for pair in line.split(":")[1].split(","))["usec"])

    def remove(self, connection, how):
        """Removes `k` in one of three ways; returns the server's microseconds."""
        connection("CONFIG", "RESETSTAT")
        if how == "overwrite":
            connection("SET", "k", "x")
            return self.microseconds(connection, "set")
        connection(how.upper(), "k")
        return self.microseconds(connection, how)

    def expire(self, connection):
        """Has `k` expire while a client on either loop sends one PING after the other. The longest
        wait is printed, not judged: two Python threads and a loaded machine measure themselves."""
        connection("CONFIG", "RESETSTAT")
        longest, stop = [0.0, 0.0], threading.Event()

        def ping(number, client):
            while not stop.is_set():
                begin = time.monotonic()
                client("PING")
                longest[number] = max(longest[number], time.monotonic() - begin)

        clients = [self.connect() for _ in range(2)]
        threads = [threading.Thread(target=ping, args=(i, c)) for i, c in enumerate(clients)]
        for thread in threads:
            thread.start()
        connection("PEXPIRE", "k", 100)
        support.wait_until(lambda: int(self.server.info("stats")["expired_keys"]) == 1, "expiry")
        time.sleep(0.2)  # the memory is being freed meanwhile
        stop.set()
        for thread in threads:
            thread.join()
        print(f"# longest PING while it expired: {max(longest) * 1000:.1f} ms")

    def check(self, kind):
        connection = self.connect(timeout=600)
        for how in ("del", "unlink", "overwrite"):
            times = []
            for _ in range(1 if support.long_run() else 3):
                connection("DEL", "k")
                self.fill(connection, kind, "k")
                times.append(self.remove(connection, how))
            print(f"# {kind} of {self.elements()}, {how}: {min(times)} us")
            self.assertLess(min(times), LIMIT_US)
        connection("DEL", "k")
        self.fill(connection, kind, "k")
        self.expire(connection)
        self.assertEqual(connection("EXISTS", "k"), 0)
        support.wait_until(lambda: int(self.server.info("memory")["lazyfree_pending_objects"]) == 0,
                           "the memory to be freed", timeout=120)

    def test_lists(self):
        self.check("list")

    def test_sets(self):
        self.check("set")

    def test_hashes(self):
        self.check("hash")

    def test_sorted_sets(self):
        self.check("zset")


if __name__ == "__main__":
    support.main()

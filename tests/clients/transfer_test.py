#!/usr/bin/env python3
"""64 clients over two loops move amounts between 100 accounts, in every way that is atomic, while
snapshots are taken. The sum never changes: not for who looks at it, and not in any snapshot."""

import random
import shutil
import threading
import time
from functools import partial

import support
from resp import QUEUED, Error
from support import Server, ServerTestCase, in_threads

CLIENTS = 64
ACCOUNTS = 100
AMOUNT = 1000  # on every account at the beginning
COINS = 10     # in every purse at the beginning

TRANSFER = """
local balance = tonumber(redis.call('GET', KEYS[1]))
local amount = tonumber(ARGV[1])
if balance < amount then return 0 end
redis.call('DECRBY', KEYS[1], amount)
redis.call('INCRBY', KEYS[2], amount)
return 1
"""

ACCOUNT_NAMES = [f"account:{i}" for i in range(ACCOUNTS)]
PURSE_NAMES = [f"purse:{i}" for i in range(ACCOUNTS)]


def transfer_watched(connection, draw):
    """Optimistic: read, then EXEC unless somebody else was faster."""
    source, target = draw.sample(ACCOUNT_NAMES, 2)
    amount = draw.randrange(1, 50)
    connection("WATCH", source, target)
    if int(connection("GET", source)) < amount:
        connection("UNWATCH")
        return False
    replies = connection.pipeline([("MULTI",), ("DECRBY", source, amount), ("INCRBY", target, amount),
                                   ("EXEC",)])
    assert replies[1:3] == [QUEUED, QUEUED], replies
    return replies[3] is not None


def transfer_by_script(connection, draw):
    source, target = draw.sample(ACCOUNT_NAMES, 2)
    done = connection("EVAL", TRANSFER, 2, source, target, draw.randrange(1, 50))
    assert done in (0, 1), done
    return done == 1


def move_coin(connection, draw):
    """One command with two keys."""
    source, target = draw.sample(PURSE_NAMES, 2)
    return connection("LMOVE", source, target, "LEFT", "RIGHT") is not None


WAYS = {"WATCH": transfer_watched, "EVAL": transfer_by_script, "LMOVE": move_coin}


def sums(connection):
    """(amount, coins) of all accounts and purses, looked at in one transaction."""
    replies = connection.pipeline([("MULTI",), ("MGET", *ACCOUNT_NAMES),
                                   *[("LLEN", name) for name in PURSE_NAMES], ("EXEC",)])
    return sum(int(value) for value in replies[-1][0]), sum(replies[-1][1:])


class Transfer(ServerTestCase):
    OPTIONS = ("--io-threads", "2")
    TIMEOUT = 300
    EXPECTED = (ACCOUNTS * AMOUNT, ACCOUNTS * COINS)

    def setUp(self):
        super().setUp()
        self.until = time.monotonic() + (60 if support.long_run() else 8)
        self.moved = {way: 0 for way in WAYS}
        self.lock = threading.Lock()
        connection = self.connect()
        connection.pipeline([("SET", name, AMOUNT) for name in ACCOUNT_NAMES])
        connection.pipeline([("RPUSH", name, *range(COINS)) for name in PURSE_NAMES])

    def move(self, number, seed):
        draw, way = random.Random(seed + number), list(WAYS)[number % len(WAYS)]
        moved = 0
        with self.server.connect(timeout=60) as connection:
            while time.monotonic() < self.until:
                moved += WAYS[way](connection, draw)
        with self.lock:
            self.moved[way] += moved

    def look(self):
        """Looks at all accounts at once, by a transaction and by a command with many keys."""
        looks = 0
        with self.server.connect(timeout=60) as connection:
            while time.monotonic() < self.until:
                self.assertEqual(sums(connection), self.EXPECTED)
                amounts = connection("MGET", *ACCOUNT_NAMES)
                self.assertEqual(sum(int(value) for value in amounts), self.EXPECTED[0])
                looks += 2
        print(f"# looked {looks} times")

    def take_snapshots(self, files):
        with self.server.connect(timeout=60) as connection:
            while time.monotonic() < self.until:
                self.assertNotIsInstance(connection("BGSAVE"), Error)
                support.wait_until(
                    lambda: self.server.info("persistence")["rdb_bgsave_in_progress"] == "0",
                    "the snapshot")
                self.assertEqual(self.server.info("persistence")["rdb_last_bgsave_status"], "ok")
                copy = self.server.directory / f"snapshot-{len(files)}.rdb"
                shutil.copy(self.server.directory / "dump.rdb", copy)
                files.append(copy)
                time.sleep(0.2)

    def check_file(self, path):
        with Server("--dbfilename", path.name, "--dir", path.parent) as server:
            with server.connect() as connection:
                support.wait_until(lambda: server.info("persistence")["loading"] == "0", "loading")
                self.assertEqual(sums(connection), self.EXPECTED, path.name)

    def test_the_sum_never_changes(self):
        seed, files = support.seed(), []
        in_threads([partial(self.move, number, seed) for number in range(CLIENTS)]
                   + [self.look, self.look, partial(self.take_snapshots, files)])
        print(f"# moved {self.moved}, {len(files)} snapshots")
        self.assertEqual(sums(self.connect()), self.EXPECTED)
        self.assertGreater(min(self.moved.values()), 100)
        self.assertGreaterEqual(len(files), 3)
        for path in files[:50]:
            self.check_file(path)


if __name__ == "__main__":
    support.main()

#!/usr/bin/env python3
"""Many clients at once over two event loops: nothing is lost, nothing is torn."""

import time
from functools import partial

import support
from resp import OK, encode
from support import ServerTestCase, in_threads

CLIENTS = 50
COUNTERS = 10
INCREMENTS = 10_000  # per client
PIPELINE = 100


class Concurrency(ServerTestCase):
    OPTIONS = ("--io-threads", "2")

    def test_50_clients_increment_10_counters_10_000_times_each(self):
        keys = [f"counter:{i}" for i in range(COUNTERS)]

        def increment(number):
            batch = b"".join(encode("INCR", keys[(number + i) % COUNTERS]) for i in range(PIPELINE))
            latest = [0] * COUNTERS
            with self.server.connect(timeout=60) as connection:
                for _ in range(INCREMENTS // PIPELINE):
                    connection.write(batch)
                    for i in range(PIPELINE):
                        value = connection.read()
                        assert value > latest[i % COUNTERS], "a counter went backwards"
                        latest[i % COUNTERS] = value

        in_threads([partial(increment, n) for n in range(CLIENTS)])
        values = [int(value) for value in self.connect()("MGET", *keys)]
        self.assertEqual(sum(values), CLIENTS * INCREMENTS)
        self.assertEqual(values, [CLIENTS * INCREMENTS // COUNTERS] * COUNTERS)

    def test_mset_and_mget_of_10_keys_are_never_torn(self):
        """Writers set 10 keys to one value with one MSET; every MGET must see 10 equal values."""
        keys = [f"key:{i}" for i in range(10)]
        writers, readers = 4, 4
        until = time.monotonic() + 5
        seen = [0] * (writers + readers)
        self.connect()("MSET", *[part for key in keys for part in (key, "start")])

        def work(number):
            order = keys if number % 2 else keys[::-1]  # opposite orders would deadlock naive locks
            with self.server.connect(timeout=30) as connection:
                round_number = 0
                while time.monotonic() < until:
                    round_number += 1
                    if number < writers:
                        write(connection, order, f"{number}:{round_number}")
                    else:
                        read(connection, order)
                    seen[number] += 20

        def write(connection, order, value):
            pairs = [part for key in order for part in (key, value)]
            assert connection.pipeline([("MSET", *pairs)] * 20) == [OK] * 20

        def read(connection, order):
            for values in connection.pipeline([("MGET", *order)] * 20):
                assert len(set(values)) == 1, f"torn: {values}"

        in_threads([partial(work, n) for n in range(writers + readers)])
        print(f"# {sum(seen[:writers])} MSET, {sum(seen[writers:])} MGET")
        self.assertGreater(min(seen), 100)

    def test_set_nx_lets_exactly_one_win(self):
        """The usual lock: 20 clients race for 200 names."""
        winners = [0] * 200

        def race(number):
            with self.server.connect(timeout=30) as connection:
                replies = connection.pipeline(
                    ("SET", f"lock:{i}", number, "NX", "PX", 60_000) for i in range(len(winners)))
                for i, reply in enumerate(replies):
                    winners[i] += reply == OK

        in_threads([partial(race, n) for n in range(20)])
        self.assertEqual(set(winners), {1})

    def test_renames_never_lose_or_double_a_key(self):
        """8 clients pass one token round between names; it is always in exactly one place."""
        self.connect()("SET", "token:0", "T")

        def rename(number):
            with self.server.connect(timeout=30) as connection:
                for i in range(100):
                    connection.pipeline(
                        ("RENAME", f"token:{j}", f"token:{(j + number + i) % 5}") for j in range(5))
                    values = connection("MGET", *(f"token:{j}" for j in range(5)))
                    assert values.count(b"T") == 1, values

        in_threads([partial(rename, n) for n in range(8)])


if __name__ == "__main__":
    support.main()

#!/usr/bin/env python3
"""Blocking commands over two loops: nothing lost, nothing twice, in order, whoever comes and goes."""

import random
import time

import support
from resp import OK, Closed, Error, encode
from support import ServerTestCase, in_threads


class TwoLoopsTestCase(ServerTestCase):
    OPTIONS = ("--io-threads", "2")


class ProducersAndConsumers(TwoLoopsTestCase):
    """100 producers push to 10 lists for which 100 clients wait in several ways."""

    PRODUCERS = CONSUMERS = 100
    KEYS = [f"queue:{i}" for i in range(10)]

    def test_every_element_is_delivered_once_and_in_order(self):
        each = 10_000 if support.long_run() else 500
        received = [[] for _ in range(self.CONSUMERS)]

        def produce(number):
            chance = random.Random(f"{support.seed()}:{number}")
            key = self.KEYS[number % len(self.KEYS)]
            sent = 0
            with self.server.connect(timeout=120) as connection:
                while sent < each:
                    count = min(chance.randrange(1, 40), each - sent)
                    pushes = []
                    while count > 0:
                        pushed = chance.randrange(1, min(count, 3) + 1)
                        pushes.append(("RPUSH", key, *(f"{number}:{sent + i}" for i in range(pushed))))
                        sent += pushed
                        count -= pushed
                    for reply in connection.pipeline(pushes):
                        assert isinstance(reply, int), reply

        def consume(number):
            # Half of them wait for several lists, some take more than one element.
            start = number % len(self.KEYS)
            keys = self.KEYS[start:] + self.KEYS[:start] if number % 2 else self.KEYS[start:start + 1]
            with self.server.connect(timeout=120) as connection:
                while True:
                    if number % 5 == 0:
                        reply = connection("BLMPOP", 0, len(keys), *keys, "LEFT", "COUNT", 3)
                        elements = reply[1]
                    else:
                        elements = connection("BLPOP", *keys, 0)[1:]
                    if b"stop" in elements:
                        return  # everything else had been taken before
                    received[number] += elements

        def run():
            in_threads([lambda n=n: produce(n) for n in range(self.PRODUCERS)])
            with self.server.connect(timeout=60) as connection:
                support.wait_until(lambda: all(connection("LLEN", key) == 0 for key in self.KEYS),
                                   "consumers to take everything", timeout=60)
                waiting = self.CONSUMERS
                while waiting > 0:
                    for key in self.KEYS:
                        connection("RPUSH", key, "stop")
                    time.sleep(0.02)
                    waiting = int(self.server.info("clients")["blocked_clients"])

        begin = time.monotonic()
        in_threads([lambda n=n: consume(n) for n in range(self.CONSUMERS)] + [run])
        total = self.PRODUCERS * each
        print(f"# {total} elements in {time.monotonic() - begin:.1f} s")
        everything = [element for elements in received for element in elements if element != b"stop"]
        self.assertEqual(len(everything), total)
        self.assertEqual(len(set(everything)), total)
        for elements in received:
            last = {}
            for element in elements:
                producer, sequence = element.split(b":")
                self.assertLess(last.get(producer, -1), int(sequence))
                last[producer] = int(sequence)


class ComingAndGoing(TwoLoopsTestCase):
    def test_clients_that_leave_while_they_wait_lose_nothing(self):
        """Waiters on both loops disconnect at random; what is pushed ends with the one who stays."""
        chance = random.Random(support.seed())
        connection = self.connect(timeout=60)
        for round_number in range(100):
            waiting = [self.server.connect(timeout=30) for _ in range(6)]
            for client in waiting:
                client.send("BLPOP", "k", 0)
            support.wait_until(lambda: int(self.server.info("clients")["blocked_clients"]) == 6,
                               "six waiting clients")
            leaving = chance.sample(range(6), 3)
            for number in leaving:
                waiting[number].close()
            support.wait_until(lambda: int(self.server.info("clients")["blocked_clients"]) == 3,
                               "three clients to be gone")
            elements = [f"{round_number}:{i}" for i in range(4)]
            connection("RPUSH", "k", *elements)
            got = [client.read()[1] for number, client in enumerate(waiting)
                   if number not in leaving]
            self.assertEqual(sorted(got), [e.encode() for e in elements[:3]])
            self.assertEqual(connection("LPOP", "k"), elements[3].encode())
            for client in waiting:
                client.close()

    def test_first_come_first_served_across_loops(self):
        connection = self.connect(timeout=30)
        waiting = []
        for number in range(20):
            client = self.server.connect(timeout=30)
            client.send("BLPOP", "k", 0)
            support.wait_until(
                lambda: int(self.server.info("clients")["blocked_clients"]) == number + 1, "it waits")
            waiting.append(client)
        connection("RPUSH", "k", *range(20))
        self.assertEqual([client.read()[1] for client in waiting],
                         [str(i).encode() for i in range(20)])

    def test_a_pipeline_goes_on_behind_a_blocking_command(self):
        client, pusher = self.connect(), self.connect()
        client.write(encode("SET", "a", 1) + encode("BLPOP", "k", 0) + encode("GET", "a") +
                     b"PING 'in line'\r\n" + encode("BLPOP", "k", "0.05") + encode("ECHO", "end"))
        self.assertEqual(client.read(), OK)
        self.assertTrue(client.quiet())
        client.write(encode("ECHO", "later")[:9])
        pusher("RPUSH", "k", "x")
        self.assertEqual(client.read(), [b"k", b"x"])
        self.assertEqual(client.read(), b"1")
        self.assertEqual(client.read(), b"in line")
        self.assertIsNone(client.read())
        self.assertEqual(client.read(), b"end")
        client.write(encode("ECHO", "later")[9:])
        self.assertEqual(client.read(), b"later")

    def test_timeouts_are_kept(self):
        connection = self.connect(protocol=3)
        for seconds in (0.01, 0.1, 0.25):
            begin = time.monotonic()
            self.assertIsNone(connection("BLPOP", "none", seconds))
            self.assertTrue(seconds <= time.monotonic() - begin + 0.002 < seconds + 0.5)

    def test_unblock_and_kill(self):
        connection, waiting = self.connect(), self.connect()
        identity = waiting("CLIENT", "ID")
        waiting.send("BLMOVE", "a", "b", "LEFT", "RIGHT", 0)
        support.wait_until(lambda: connection("CLIENT", "UNBLOCK", identity, "ERROR") == 1, "it waits")
        reply = waiting.read()
        self.assertIsInstance(reply, Error)
        self.assertIn("UNBLOCKED", str(reply))
        waiting.send("BLPOP", "a", 0)
        support.wait_until(lambda: int(self.server.info("clients")["blocked_clients"]) == 1, "waits")
        connection("CLIENT", "KILL", "ID", identity)
        connection("RPUSH", "a", "x")
        with self.assertRaises(Closed):
            waiting.read()
        self.assertEqual(connection("LRANGE", "a", 0, -1), [b"x"])

    def test_moves_between_lists_on_two_loops(self):
        """Chains of BLMOVE in both directions, a ring: the token is always in exactly one place."""
        until = time.monotonic() + 3
        names = [f"ring:{i}" for i in range(7)]
        moves = [0]

        def move(number):
            with self.server.connect(timeout=30) as connection:
                while time.monotonic() < until:
                    source, target = names[number % 7], names[(number + 1) % 7]
                    if connection("BLMOVE", source, target, "LEFT", "RIGHT", "0.5") is not None:
                        moves[0] += 1

        self.connect()("RPUSH", names[0], *range(10))
        in_threads([lambda n=n: move(n) for n in range(21)])
        connection = self.connect()
        left = [element for name in names for element in connection("LRANGE", name, 0, -1)]
        print(f"# {moves[0]} moves")
        self.assertEqual(sorted(map(int, left)), list(range(10)))
        self.assertGreater(moves[0], 100)


if __name__ == "__main__":
    support.main()

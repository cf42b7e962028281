#!/usr/bin/env python3
"""Client-side caching and MONITOR with clients on two loops: told in time, and nothing missed."""

import random
import re
import threading

import support
from resp import OK, PONG, Push, encode
from support import ServerTestCase


class TwoLoopsTestCase(ServerTestCase):
    OPTIONS = ("--io-threads", "2")

    def pair(self, protocol=3):
        """Two clients on different loops: connections are dealt out in turn."""
        return self.connect(protocol), self.connect(2)


def invalidate(*keys):
    return Push([b"invalidate", list(keys)])


class Invalidation(TwoLoopsTestCase):
    def test_push_across_loops(self):
        reader, writer = self.pair()
        self.assertEqual(reader("CLIENT", "TRACKING", "ON"), OK)
        for i in range(200):
            writer("SET", "k", i)
            self.assertEqual(reader("GET", "k"), b"%d" % i)
            writer("INCR", "k")
            self.assertEqual(reader.read(), invalidate(b"k"))
        self.assertTrue(reader.quiet())

    def test_resp2_through_redirect(self):
        clients = [self.connect(2) for _ in range(4)]
        for target in clients[:2]:
            identity = target("CLIENT", "ID")
            target("SUBSCRIBE", "__redis__:invalidate")
            reader, writer = clients[2:]
            self.assertEqual(reader("CLIENT", "TRACKING", "ON", "REDIRECT", identity), OK)
            reader("MGET", "a", "b")
            writer("MSET", "b", 1, "a", 1)
            told = [target.read(), target.read()]
            self.assertEqual(told, [[b"message", b"__redis__:invalidate", [b"b"]],
                                    [b"message", b"__redis__:invalidate", [b"a"]]])
            reader("GET", "a")
            writer("FLUSHALL")
            self.assertEqual(target.read(), [b"message", b"__redis__:invalidate", None])

    def test_broadcast(self):
        reader, writer = self.pair()
        reader("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "p:")
        writer.write(b"".join(encode("SET", f"{kind}:{i}", i) for i in range(5) for kind in "pq"))
        for _ in range(10):
            self.assertEqual(writer.read(), OK)
        seen = []
        while len(seen) < 5:
            message = reader.read()
            self.assertEqual(message[0], b"invalidate")
            seen += message[1]
        self.assertEqual(sorted(seen), [b"p:%d" % i for i in range(5)])
        self.assertTrue(reader.quiet())

    def test_own_changes_come_behind_the_reply(self):
        client = self.connect(3)
        client("CLIENT", "TRACKING", "ON")
        client("GET", "k")
        client.write(encode("SET", "k", 1) + encode("PING"))
        self.assertEqual(client.read(), OK)
        self.assertEqual(client.read(), invalidate(b"k"))
        self.assertEqual(client.read(), PONG)

    def test_broken_redirection(self):
        target = self.connect(2)
        reader, writer = self.pair()
        identity = target("CLIENT", "ID")
        reader("CLIENT", "TRACKING", "ON", "REDIRECT", identity)
        reader("GET", "k")
        target.close()
        support.wait_until(lambda: b"id=%d " % identity not in writer("CLIENT", "LIST"), "it left")
        writer("SET", "k", 1)
        self.assertEqual(reader.read(), Push([b"tracking-redir-broken", identity]))


class NothingMissed(TwoLoopsTestCase):
    """Caches that live by invalidations alone end up with what the server has."""

    CLIENTS, KEYS, ROUNDS = 4, 8, 1500

    def cache(self, number, cached, stop):
        client = self.connect(3)
        client("CLIENT", "TRACKING", "ON")
        chance = random.Random(f"{support.seed()}:{number}")

        def forget(message):
            self.assertEqual(message[0], b"invalidate")
            for key in message[1]:
                cached.pop(key, None)

        def call(*command):
            client.send(*command)
            while isinstance(reply := client.read(), Push):
                forget(reply)
            return reply

        while not stop.is_set():
            key = b"k%d" % chance.randrange(self.KEYS)
            if key not in cached:
                cached[key] = call("GET", key)
            else:
                call("PING")
        # What was posted before this reply has arrived with it, or comes now.
        call("PING")
        while not client.quiet(0.2):
            forget(client.read())

    def test_caches_converge(self):
        stop = threading.Event()
        caches = [{} for _ in range(self.CLIENTS)]
        threads = [threading.Thread(target=self.cache, args=(i, caches[i], stop))
                   for i in range(self.CLIENTS)]
        for thread in threads:
            thread.start()
        writers = [self.connect(2) for _ in range(2)]
        chance = random.Random(support.seed())
        for i in range(self.ROUNDS):
            writers[i % 2]("SET", f"k{chance.randrange(self.KEYS)}", i)
        stop.set()
        for thread in threads:
            thread.join(30)
        for cached in caches:
            for key, value in cached.items():
                self.assertEqual(value, writers[0]("GET", key))


class Monitor(TwoLoopsTestCase):
    def test_all_loops_in_one_order(self):
        monitors = [self.connect(2) for _ in range(4)]
        for monitor in monitors:
            self.assertEqual(monitor("MONITOR"), OK)
        clients = [self.connect(2) for _ in range(4)]

        def work(client, number):
            for i in range(100):
                client("SET", f"k:{number}", i)

        threads = []
        for number, client in enumerate(clients):
            thread = threading.Thread(target=work, args=(client, number))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join(30)
        shown = [[monitor.read().text for _ in range(400)] for monitor in monitors]
        for lines in shown[1:]:
            self.assertEqual(lines, shown[0])
        pattern = re.compile(r'^\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "k:(\d)" "(\d+)"$')
        counts = [0] * 4
        for line in shown[0]:
            number, i = map(int, pattern.match(line).groups())
            self.assertEqual(i, counts[number])
            counts[number] += 1
        self.assertEqual(counts, [100] * 4)

    def test_reset_ends_it(self):
        monitor, other = self.pair(2)
        monitor("MONITOR")
        other("GET", "k")
        self.assertIn('"GET" "k"', monitor.read().text)
        monitor.send("RESET")
        self.assertEqual(str(monitor.read().text), "RESET")
        other("GET", "k")
        self.assertTrue(monitor.quiet())


if __name__ == "__main__":
    support.main()

#!/usr/bin/env python3
"""Publish/subscribe and keyspace events over two loops: who gets what, in which order, and what
becomes of those who do not read."""

import threading
import time

import support
from resp import OK, Closed, Push, Simple, encode
from support import ServerTestCase, in_threads


class TwoLoopsTestCase(ServerTestCase):
    OPTIONS = ("--io-threads", "2")

    def subscriber(self, *command, protocol=2):
        """A connection that has sent SUBSCRIBE, or one of its kind, and has been confirmed."""
        connection = self.connect(protocol, timeout=60)
        connection.send(*command)
        for _ in command[1:]:
            connection.read()
        return connection

    def subscribers(self):
        connection = self.connect()
        return int(support.parse_info(connection("INFO", "clients"))["pubsub_clients"])


class Delivery(TwoLoopsTestCase):
    def test_both_protocols_and_all_kinds_on_both_loops(self):
        wanted, connections = [], []
        for protocol in (2, 3, 2, 3):
            kind = Push if protocol == 3 else list
            for command, message in (
                    (("SUBSCRIBE", "news"), [b"message", b"news", b"text"]),
                    (("PSUBSCRIBE", "n*s"), [b"pmessage", b"n*s", b"news", b"text"]),
                    (("SSUBSCRIBE", "news"), [b"smessage", b"news", b"text"])):
                connections.append(self.subscriber(*command, protocol=protocol))
                wanted.append(kind(message))
        publisher = self.connect()
        self.assertEqual(publisher("PUBLISH", "news", "text"), 8)
        self.assertEqual(publisher("SPUBLISH", "news", "text"), 4)
        for connection, message in zip(connections, wanted):
            received = connection.read()
            self.assertEqual(received, message)
            self.assertIs(type(received), type(message))
        for connection in connections:
            self.assertTrue(connection.quiet(0.01))

    def test_channel_and_pattern_side_by_side(self):
        """Who listens in two ways gets each message twice, and no message in between."""
        listener = self.subscriber("SUBSCRIBE", "news")
        listener("PSUBSCRIBE", "ne*")
        publishers = [self.connect(timeout=60) for _ in range(4)]
        count = 300
        in_threads([lambda p=p, n=n: p.pipeline(("PUBLISH", "news", f"{n}:{i}") for i in range(count))
                    for n, p in enumerate(publishers)])
        for _ in range(4 * count):
            first, second = listener.read(), listener.read()
            self.assertEqual([first[0], second[0]], [b"message", b"pmessage"])
            self.assertEqual(first[2], second[3])

    def test_all_subscribers_see_one_order(self):
        """8 publishers and 8 subscribers on two loops: each publisher's messages keep their order,
        and every subscriber sees the same one."""
        count = 500
        listeners = [self.subscriber("SUBSCRIBE" if n % 2 else "PSUBSCRIBE", "a", protocol=2 + n // 4)
                     for n in range(8)]
        publishers = [self.connect(timeout=60) for _ in range(8)]
        received = [[] for _ in listeners]

        def listen(number):
            for _ in range(8 * count):
                received[number].append(listeners[number].read()[-1])

        def publish(number):
            for i in range(0, count, 50):
                replies = publishers[number].pipeline(
                    ("PUBLISH", "a", f"{number}:{i + j}") for j in range(50))
                assert replies == [8] * 50, replies

        in_threads([lambda n=n: listen(n) for n in range(8)] + [lambda n=n: publish(n) for n in range(8)])
        for number in range(8):
            own = [m for m in received[0] if m.startswith(f"{number}:".encode())]
            self.assertEqual(own, [f"{number}:{i}".encode() for i in range(count)])
        for other in received[1:]:
            self.assertEqual(other, received[0])

    def test_a_pipeline_of_messages_to_oneself_and_others(self):
        """What one batch publishes is delivered at its end, but to the publisher behind each reply."""
        others = [self.subscriber("SUBSCRIBE", "a", protocol=protocol) for protocol in (2, 3, 2, 3)]
        own = self.subscriber("SUBSCRIBE", "a", protocol=3)
        script = "redis.call('PUBLISH', 'a', ARGV[1]) return redis.call('PUBLISH', 'a', ARGV[2])"
        count = 100
        for i in range(count):
            own.send("PUBLISH", "a", f"{i}")
            own.send("EVAL", script, "0", f"{i}-1", f"{i}-2")
            own.send("PING")
        texts = []
        for i in range(count):
            for answer, follow in ((5, (f"{i}",)), (5, (f"{i}-1", f"{i}-2")), (Simple("PONG"), ())):
                self.assertEqual(own.read(), answer)
                for text in follow:
                    self.assertEqual(own.read(), Push([b"message", b"a", text.encode()]))
                    texts.append(text.encode())
        for other in others:
            self.assertEqual([other.read()[2] for _ in texts], texts)

    def test_a_thousand_subscribers(self):
        listeners = [self.subscriber("SUBSCRIBE", "a") for _ in range(1000)]
        publisher = self.connect()
        self.assertEqual(publisher.pipeline(("PUBLISH", "a", f"{i}") for i in range(20)), [1000] * 20)
        self.assertEqual(publisher("PUBSUB", "NUMSUB", "a"), [b"a", 1000])
        for listener in listeners:
            for i in range(20):
                self.assertEqual(listener.read(), [b"message", b"a", f"{i}".encode()])
        for listener in listeners:
            listener.close()
        support.wait_until(lambda: publisher("PUBSUB", "NUMSUB", "a") == [b"a", 0], "them to be gone")

    def test_big_messages(self):
        listeners = [self.subscriber("SUBSCRIBE", "a", protocol=2 + n % 2) for n in range(4)]
        publisher = self.connect(timeout=60)
        payload = bytes(range(256)) * 16384  # 4 MB
        publisher.send("PUBLISH", "a", payload)
        for listener in listeners:
            self.assertEqual(listener.read()[2], payload)
        self.assertEqual(publisher.read(), 4)

    def test_many_patterns(self):
        """Patterns that begin differently do not make PUBLISH slower."""
        listener = self.connect(timeout=60)
        publisher = self.connect(timeout=60)
        listener.write(b"".join(encode("PSUBSCRIBE", f"unrelated:{i}:*") for i in range(20_000)))
        for _ in range(20_000):
            listener.read()
        listener("PSUBSCRIBE", "news:*")
        begin = time.monotonic()
        self.assertEqual(set(publisher.pipeline(("PUBLISH", "news:1", "x") for _ in range(2000))), {1})
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(publisher("PUBSUB", "NUMPAT"), 20_001)


class Ends(TwoLoopsTestCase):
    """Subscriptions end with RESET and with the connection, in the middle of messages too."""

    def test_reset(self):
        for protocol in (2, 3):
            listener = self.subscriber("SUBSCRIBE", "a", protocol=protocol)
            listener("PSUBSCRIBE", "b*")
            listener("SSUBSCRIBE", "c")
            listener.send("RESET")
            self.assertEqual(listener.read(), Simple("RESET"))
            publisher = self.connect()
            for command, channel in (("PUBLISH", "a"), ("PUBLISH", "bb"), ("SPUBLISH", "c")):
                self.assertEqual(publisher(command, channel, "x"), 0)
            self.assertEqual(listener("PING"), Simple("PONG"))

    def test_killed_while_messages_flow(self):
        admin = self.connect()
        stop = threading.Event()

        def publish():
            with self.server.connect(timeout=60) as publisher:
                while not stop.is_set():
                    publisher.pipeline(("PUBLISH", "a", "x" * 100) for _ in range(100))

        def come_and_go(number):
            for _ in range(40):
                with self.server.connect(timeout=60) as listener:
                    listener("PSUBSCRIBE" if number % 2 else "SUBSCRIBE", "a")
                    for _ in range(number * 3):
                        listener.read()
                    if number % 3 == 0:
                        admin_of[number]("CLIENT", "KILL", "TYPE", "pubsub")
                        try:
                            while True:
                                listener.read()
                        except (Closed, ConnectionError):
                            pass

        def guarded(number):
            try:
                come_and_go(number)
            except (Closed, ConnectionError):  # somebody else's CLIENT KILL
                pass

        admin_of = {n: self.connect(timeout=60) for n in (0, 3, 6)}
        publisher = threading.Thread(target=publish)
        publisher.start()
        try:
            in_threads([lambda n=n: guarded(n) for n in range(8)])
        finally:
            stop.set()
            publisher.join(60)
        support.wait_until(lambda: admin("PUBSUB", "CHANNELS") == [] and admin("PUBSUB", "NUMPAT") == 0,
                           "all subscriptions to end")
        self.assertEqual(self.subscribers(), 0)


class SlowSubscribers(TwoLoopsTestCase):
    OPTIONS = ("--io-threads", "2", "--client-output-buffer-limit", "pubsub 4mb 1mb 2")

    def flood(self, publisher, count, size):
        replies = publisher.pipeline(("PUBLISH", "a", "x" * size) for _ in range(count))
        self.assertTrue(all(isinstance(reply, int) for reply in replies))

    def cut(self, connection):
        """Reads what is left; True if the connection ends."""
        connection.socket.settimeout(10)
        try:
            while True:
                connection.read()
        except (Closed, ConnectionError):
            return True
        except TimeoutError:
            return False

    def test_hard_limit(self):
        slow = [self.subscriber("SUBSCRIBE", "a") for _ in range(2)]
        quick = [self.subscriber("SUBSCRIBE", "a") for _ in range(2)]
        publisher = self.connect(timeout=60)
        counts = [0, 0]

        def read(number):
            while quick[number].read()[2] != b"end":
                counts[number] += 1

        def publish():
            for sent in range(0, 300, 10):
                support.wait_until(lambda: min(counts) >= sent, "the quick to keep up", timeout=30)
                self.flood(publisher, 10, 100_000)
            support.wait_until(lambda: publisher("PUBSUB", "NUMSUB", "a")[1] == 2, "the slow to be cut")
            publisher("PUBLISH", "a", "end")

        in_threads([lambda: read(0), lambda: read(1), publish])
        self.assertEqual(counts, [300, 300])
        for connection in slow:
            self.assertTrue(self.cut(connection))

    def test_soft_limit(self):
        slow = self.subscriber("SUBSCRIBE", "a")
        publisher = self.connect(timeout=60)
        begin = time.monotonic()
        # Sockets take some of it; between the two limits is what the server keeps.
        while time.monotonic() - begin < 30:
            info = publisher("CLIENT", "LIST", "TYPE", "pubsub").decode()
            if "omem=" not in info:
                break
            held = int(info.split(" omem=")[1].split()[0])
            if held < 1_500_000:
                self.flood(publisher, 1, 200_000)
            else:
                time.sleep(0.1)
        passed = time.monotonic() - begin
        self.assertGreater(passed, 1.9)
        self.assertLess(passed, 20)
        self.assertTrue(self.cut(slow))


class KeyspaceEvents(TwoLoopsTestCase):
    def setUp(self):
        super().setUp()
        self.admin = self.connect()
        self.admin("FLUSHALL")
        self.assertEqual(self.admin("CONFIG", "SET", "notify-keyspace-events", "KEA"), OK)

    def tearDown(self):
        self.admin("CONFIG", "SET", "notify-keyspace-events", "")

    def test_expired_events_come_at_the_time(self):
        self.requires("precise-expiry")
        listener = self.subscriber("SUBSCRIBE", "__keyevent@0__:expired")
        begin = time.monotonic()
        self.admin("SET", "a", "x", "PX", 300)
        self.assertEqual(listener.read(), [b"message", b"__keyevent@0__:expired", b"a"])
        self.assertLess(abs(time.monotonic() - begin - 0.3), 0.1)

    def test_the_events_of_a_key_have_the_order_of_its_changes(self):
        """Clients on both loops toggle one key; who sees all events can tell its state at any time."""
        listener = self.subscriber("SUBSCRIBE", "__keyspace@0__:key")
        clients = [self.connect(timeout=60) for _ in range(6)]
        seen, done = [], []

        def listen():
            while True:
                message = listener.read()[2]
                if message == b"expire":
                    return
                seen.append(message)

        def toggle(client):
            for _ in range(40):
                done.extend(client.pipeline([("SET", "key", "x", "NX"), ("DEL", "key")] * 10))

        def run():
            in_threads([lambda c=c: toggle(c) for c in clients])
            self.admin("SET", "key", "x")
            self.admin("EXPIRE", "key", 100)

        in_threads([listen, run])
        self.assertEqual(seen.pop(), b"set")
        self.assertEqual(seen, [b"set", b"del"] * (len(seen) // 2))
        self.assertEqual(len(seen), sum(1 for reply in done if reply == OK or reply == 1))

    def test_who_waits_comes_behind_the_push(self):
        listener = self.subscriber("PSUBSCRIBE", "__keyspace@0__:*")
        waiting = [self.connect(timeout=60) for _ in range(2)]
        for connection in waiting:
            connection.send("BLPOP", "list", 0)
        support.wait_until(lambda: "blocked_clients:2" in self.admin("INFO", "clients").decode(),
                           "both to wait")
        self.assertEqual(self.admin("RPUSH", "list", "a", "b"), 2)
        self.assertEqual([listener.read()[3] for _ in range(4)], [b"rpush", b"lpop", b"lpop", b"del"])
        for connection in waiting:
            self.assertEqual(connection.read()[0], b"list")


if __name__ == "__main__":
    support.main()

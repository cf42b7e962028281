#!/usr/bin/env python3
"""CLIENT PAUSE, CLIENT KILL and messages between two loops: nothing lost, repeated or out of order."""

import random
import threading
import time

import support
from resp import OK, Closed, Error, encode
from support import ServerTestCase


class TwoLoopsTestCase(ServerTestCase):
    OPTIONS = ("--io-threads", "2")

    def run_threads(self, functions):
        """Runs the functions side by side; a failure in one is a failure of the test."""
        failures = []

        def guarded(function):
            try:
                function()
            except BaseException as error:  # noqa: BLE001: told to the test's own thread below
                failures.append(error)

        threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
        for thread in threads:
            thread.start()
        return threads, failures


class Pipelines(TwoLoopsTestCase):
    """Pipelines of writes and reads, inline and multibulk, cut anywhere, while pauses come and go."""

    CLIENTS, ROUNDS, REQUESTS = 6, 10, 300

    def client(self, mode, number):
        chance = random.Random(f"{support.seed()}:{mode}:{number}")
        connection = self.server.connect(timeout=30)
        key, written = f"n:{mode}:{number}", 0
        for _ in range(self.ROUNDS):
            requests, expected = [], []
            for i in range(self.REQUESTS):
                if chance.random() < 0.5:
                    # Answers what the write before it stored: one lost or repeated would show.
                    expected.append(str(written).encode() if written else None)
                    written += 1
                    requests.append(chance.choice((
                        encode("SET", key, written, "GET"),
                        b"SET \"\\x6e%s\" '%d' GET\r\n" % (key[1:].encode(), written))))
                else:
                    expected.append(b"q A%d" % i)
                    requests.append(chance.choice((encode("ECHO", f"q A{i}"),
                                                   b'ECHO "q \\x41%d"\r\n' % i)))
            data = b"".join(requests)
            begin = 0
            while begin < len(data):
                end = begin + chance.randrange(1, 4000)
                connection.write(data[begin:end])
                begin = end
            self.assertEqual([connection.read() for _ in expected], expected)
        connection.close()

    def during_pauses(self, mode):
        admin = self.connect()
        admin("FLUSHALL")
        threads, failures = self.run_threads(
            [lambda number=number: self.client(mode, number) for number in range(self.CLIENTS)])
        while any(thread.is_alive() for thread in threads):
            admin("CLIENT", "PAUSE", random.randrange(1, 30), mode)
            time.sleep(random.random() * 0.03)
            if mode == "WRITE" and random.random() < 0.5:
                admin("CLIENT", "UNPAUSE")
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_writes_are_paused(self):
        self.during_pauses("WRITE")

    def test_all_is_paused(self):
        self.during_pauses("ALL")


class WhilePaused(TwoLoopsTestCase):
    def setUp(self):
        super().setUp()
        self.admin = self.connect()
        self.admin("CLIENT", "PAUSE", 60000, "WRITE")

    def tearDown(self):
        self.admin("CLIENT", "UNPAUSE")
        super().tearDown()

    def wait_for_blocked(self, count):
        support.wait_until(
            lambda: f"blocked_clients:{count}\r" in self.admin("INFO", "clients").decode(),
            f"{count} blocked clients")

    def test_a_client_that_leaves_is_forgotten_and_its_write_too(self):
        client = self.connect()
        client.send("SET", "left", "1")
        self.wait_for_blocked(1)
        self.assertEqual(self.admin("CLIENT", "LIST").count(b" flags=b "), 1)
        client.close()
        self.wait_for_blocked(0)
        self.admin("CLIENT", "UNPAUSE")
        self.assertIsNone(self.admin("GET", "left"))

    def test_a_client_that_is_killed_writes_no_more(self):
        client = self.connect()
        number = client("CLIENT", "ID")
        client.send("SET", "killed", "1")
        self.wait_for_blocked(1)
        self.assertEqual(self.admin("CLIENT", "KILL", "ID", number), 1)
        self.assertTrue(client.at_end())
        self.admin("CLIENT", "UNPAUSE")
        self.assertIsNone(self.admin("GET", "killed"))

    def test_errors_and_reads_are_answered_at_once(self):
        client = self.connect()
        self.assertIsInstance(client("SET", "x"), Error)
        self.assertIsNone(client("GET", "none"))

    def test_what_arrives_meanwhile_is_executed_afterwards_in_order(self):
        client = self.connect()
        client.send("SET", "x", "y")
        client.send("GET", "x")
        self.wait_for_blocked(1)
        client.write(encode("SET", "x", "z" * 300000, "GET"))
        client.write(b'SET x "\\x41" GET\r\nGET x\r\n')
        self.assertTrue(client.quiet(0.1))
        self.admin("CLIENT", "UNPAUSE")
        self.assertEqual([client.read() for _ in range(5)], [OK, b"y", b"y", b"z" * 300000, b"A"])

    def test_scripts_that_say_that_they_do_not_write_go_on(self):
        self.admin("CLIENT", "UNPAUSE")
        reads = "#!lua flags=no-writes\nreturn 1"
        sha = self.admin("SCRIPT", "LOAD", reads)
        self.admin("FUNCTION", "LOAD", "REPLACE", "#!lua name=pause\n"
                   "server.register_function{function_name='look', flags={'no-writes'}, "
                   "callback=function() return 1 end}")
        self.admin("CLIENT", "PAUSE", 60_000, "WRITE")
        client = self.connect()
        for command in (("EVAL", reads, 0), ("EVALSHA", sha, 0), ("FCALL", "look", 0),
                        ("EVAL_RO", "return 1", 0)):
            self.assertEqual(client(*command), 1, command)
        self.assertEqual(client.pipeline([("MULTI",), ("EVAL", reads, 0), ("EXEC",)])[-1], [1])
        client.send("EVAL", "return 1", 0)
        self.assertTrue(client.quiet())
        self.admin("CLIENT", "UNPAUSE")
        self.assertEqual(client.read(), 1)


class Kill(TwoLoopsTestCase):
    def test_clients_of_both_loops_are_seen_and_closed(self):
        admin = self.connect()
        others = [self.connect() for _ in range(8)]
        numbers = [other("CLIENT", "ID") for other in others]
        listed = [int(line.split()[0][3:]) for line in admin("CLIENT", "LIST").decode().splitlines()]
        self.assertLessEqual(set(numbers), set(listed))
        self.assertEqual(admin("CLIENT", "KILL", "ID", *numbers), len(numbers))
        self.assertEqual(admin("CLIENT", "LIST", "ID", *numbers), b"")
        for other in others:
            self.assertTrue(other.at_end())


class Messages(TwoLoopsTestCase):
    def test_all_subscribers_get_all_messages_in_the_same_order(self):
        publishers, count = 4, 1000
        subscribers = [self.connect(timeout=30) for _ in range(6)]
        for subscriber in subscribers:
            subscriber("SUBSCRIBE", "c")

        def publish(number):
            publisher = self.server.connect(timeout=30)
            self.assertEqual(
                set(publisher.pipeline(("PUBLISH", "c", f"{number}:{i}") for i in range(count))),
                {len(subscribers)})
            publisher.close()

        threads, failures = self.run_threads(
            [lambda number=number: publish(number) for number in range(publishers)])
        received = [[subscriber.read()[2] for _ in range(publishers * count)]
                    for subscriber in subscribers]
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        for other in received[1:]:
            self.assertTrue(other == received[0], "the order differs")
        for number in range(publishers):
            mine = [text for text in received[0] if text.startswith(b"%d:" % number)]
            self.assertEqual(mine, [b"%d:%d" % (number, i) for i in range(count)])

    def test_subscribers_come_and_go_and_are_killed_while_messages_flow(self):
        stop = threading.Event()

        def come_and_go(number):
            chance = random.Random(f"{support.seed()}:{number}")
            while not stop.is_set():
                try:
                    self.visit(chance)
                except (Closed, ConnectionError):
                    pass  # killed

        def kill():
            admin = self.server.connect()
            while not stop.is_set():
                admin("CLIENT", "KILL", "TYPE", "pubsub")
                admin("CLIENT", "LIST", "FLAGS", "P")
                time.sleep(0.02)
            admin.close()

        threads, failures = self.run_threads(
            [lambda number=number: come_and_go(number) for number in range(4)] + [kill])
        publisher = self.connect()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            publisher("PUBLISH", "c", "m")
            publisher("PUBLISH", "x1", "m")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        support.wait_until(lambda: publisher("PUBLISH", "c", "m") == 0, "the subscriptions to go")

    def visit(self, chance):
        with self.server.connect(protocol=chance.choice((2, 3))) as client:
            client.send("SUBSCRIBE", "c", f"x{chance.randrange(3)}")
            client.send("UNSUBSCRIBE", "c")
            while client.read()[0] != b"unsubscribe":
                pass
            client.send("UNSUBSCRIBE")
            while True:
                message = client.read()
                # Nothing of a channel comes behind the confirmation that it was left.
                self.assertFalse(message[0] == b"message" and message[1] == b"c", message)
                if message[0] == b"unsubscribe":
                    break


if __name__ == "__main__":
    support.main()

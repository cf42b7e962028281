#!/usr/bin/env python3
"""CLIENT and publish/subscribe: commands that take several connections to test."""

import re
import socket
import threading
import time

import support
from resp import OK, PONG, Error, Push, Simple, encode
from support import ServerTestCase


class ConnectionTestCase(ServerTestCase):
    def named(self, name, protocol=2):
        """A connection with a name, and its id."""
        connection = self.connect(protocol)
        self.assertEqual(connection("CLIENT", "SETNAME", name), OK)
        return connection, connection("CLIENT", "ID")

    def names(self, admin, *filters):
        """The names in CLIENT LIST, without the nameless."""
        return sorted(re.findall(r" name=(\S+)", admin("CLIENT", "LIST", *filters).decode()))


class ClientList(ConnectionTestCase):
    def test_fields(self):
        connection, identifier = self.named("me")
        connection("SELECT", "3")
        line = connection("CLIENT", "INFO").decode()
        fields = dict(field.split("=", 1) for field in line.split())
        self.assertEqual(int(fields["id"]), identifier)
        host, port = connection.socket.getsockname()
        self.assertEqual(fields["addr"], f"{host}:{port}")
        self.assertEqual(fields["laddr"], f"127.0.0.1:{self.server.port}")
        self.assertEqual(
            {name: fields[name] for name in ("name", "db", "flags", "user", "cmd", "resp", "sub",
                                             "psub", "multi")},
            {"name": "me", "db": "3", "flags": "N", "user": "default", "cmd": "client|info",
             "resp": "2", "sub": "0", "psub": "0", "multi": "-1"})
        for name in ("age", "idle", "qbuf", "qbuf-free", "argv-mem", "obl", "oll", "omem",
                     "tot-mem", "fd", "events"):
            self.assertIn(name, fields)

    def test_a_blocking_command_counts_once_it_is_answered(self):
        admin = self.connect()
        waiting, identifier = self.named("waiting")

        def executed():
            line = admin("CLIENT", "LIST", "ID", identifier).decode()
            return int(re.search(r" tot-cmds=(\d+)", line)[1])

        before = executed()
        waiting.send("BLPOP", "k", "0")
        support.wait_until(
            lambda: b" flags=b " in admin("CLIENT", "LIST", "ID", identifier), "the client to wait")
        self.assertEqual(executed(), before)
        admin("RPUSH", "k", "x")
        self.assertEqual(waiting.read(), [b"k", b"x"])
        support.wait_until(lambda: executed() == before + 1, "the command to count")

    def test_what_a_script_executes_counts(self):
        def executed():
            line = client("CLIENT", "INFO").decode()
            return int(re.search(r" tot-cmds=(\d+)", line)[1])

        client = self.connect()
        before = executed()
        client("EVAL", "redis.call('PING') redis.call('PING')", "0")
        self.assertEqual(executed(), before + 4)  # CLIENT INFO, EVAL, twice PING

    def test_filters(self):
        admin = self.connect()
        _, first = self.named("first")
        _, second = self.named("second")
        subscriber, _ = self.named("subscriber")
        subscriber("SUBSCRIBE", "news")
        self.assertEqual(self.names(admin), ["first", "second", "subscriber"])
        self.assertEqual(self.names(admin, "ID", first, second), ["first", "second"])
        self.assertEqual(self.names(admin, "TYPE", "pubsub"), ["subscriber"])
        self.assertEqual(self.names(admin, "TYPE", "normal"), ["first", "second"])
        self.assertEqual(self.names(admin, "TYPE", "replica"), [])

    def test_idle_and_age_are_seconds(self):
        admin = self.connect()
        _, identifier = self.named("idle")
        time.sleep(1.1)
        line = admin("CLIENT", "LIST", "ID", identifier).decode()
        self.assertRegex(line, r" age=[12] idle=[12] ")

    def test_ids_grow(self):
        identifiers = [self.named(f"n{i}")[1] for i in range(10)]
        self.assertEqual(identifiers, sorted(set(identifiers)))

    def test_names(self):
        connection = self.connect()
        self.assertIn(connection("CLIENT", "GETNAME"), (None, b""))
        self.assertEqual(connection("CLIENT", "SETNAME", "worker"), OK)
        self.assertEqual(connection("CLIENT", "GETNAME"), b"worker")
        self.assertEqual(connection("CLIENT", "SETNAME", ""), OK)
        self.assertIn(connection("CLIENT", "GETNAME"), (None, b""))


class ClientKill(ConnectionTestCase):
    def test_by_address(self):
        admin = self.connect()
        victim = self.connect()
        victim("PING")  # a connection that no loop has taken over yet is not a client
        host, port = victim.socket.getsockname()
        self.assertEqual(admin("CLIENT", "KILL", f"{host}:{port}"), OK)
        self.assertTrue(victim.at_end())
        self.assertEqual(admin("CLIENT", "KILL", f"{host}:{port}"), Error("ERR No such client"))

    def test_by_filters(self):
        admin = self.connect()
        for filters in ("ID {id}", "ADDR {address}", "ID {id} TYPE normal USER default",
                        "ID {id} LADDR {server}", "ID {id} SKIPME yes"):
            victim, number = self.named("victim")
            words = filters.format(id=number, server="%s:%d" % self.server.address,
                                   address="%s:%d" % victim.socket.getsockname())
            with self.subTest(filters=filters):
                self.assertEqual(admin("CLIENT", "KILL", *words.split()), 1)
                self.assertTrue(victim.at_end())
        self.assertEqual(admin("CLIENT", "KILL", "ID", "999999999"), 0)

    def test_skipme(self):
        admin, number = self.named("admin")
        others = [self.connect() for _ in range(5)]
        self.assertEqual([other("PING") for other in others], [PONG] * 5)
        self.assertGreaterEqual(admin("CLIENT", "KILL", "TYPE", "normal"), 5)
        self.assertTrue(all(other.at_end() for other in others))
        self.assertEqual(admin("CLIENT", "KILL", "ID", number, "SKIPME", "yes"), 0)
        self.assertEqual(admin("CLIENT", "KILL", "ID", number, "SKIPME", "no"), 1)
        self.assertTrue(admin.at_end(), "the reply to its own end arrives first, then the end")

    def test_subscribers(self):
        admin = self.connect()
        subscriber = self.connect()
        subscriber("SUBSCRIBE", "news")
        self.assertEqual(admin("CLIENT", "KILL", "TYPE", "pubsub"), 1)
        self.assertTrue(subscriber.at_end())
        support.wait_until(lambda: admin("PUBLISH", "news", "x") == 0, "the subscription to go")


class ClientPause(ConnectionTestCase):
    def run_during(self, pause, *command):
        """Sends a command during a pause; returns how long it took and its reply."""
        admin, client = self.connect(), self.connect()
        self.addCleanup(admin, "CLIENT", "UNPAUSE")
        self.assertEqual(admin("CLIENT", "PAUSE", *pause), OK)
        started = time.monotonic()
        reply = client(*command)
        return time.monotonic() - started, reply

    def test_pauses_everything(self):
        took, reply = self.run_during(("300",), "GET", "k")
        self.assertGreater(took, 0.25)
        self.assertIsNone(reply)

    def test_pauses_writes_only(self):
        took, reply = self.run_during(("400", "WRITE"), "SET", "k", "v")
        self.assertGreater(took, 0.35)
        self.assertEqual(reply, OK)
        took, reply = self.run_during(("5000", "WRITE"), "GET", "k")
        self.assertLess(took, 1)
        self.assertEqual(reply, b"v")

    def test_unpause(self):
        admin, client = self.connect(), self.connect()
        admin("CLIENT", "PAUSE", "20000", "WRITE")
        client.write(encode("SET", "k", "1") + encode("SET", "k", "2") + encode("GET", "k"))
        self.assertTrue(client.quiet(0.2))
        self.assertEqual(admin("CLIENT", "UNPAUSE"), OK)
        self.assertEqual([client.read() for _ in range(3)], [OK, OK, b"2"])


class ClientReply(ConnectionTestCase):
    def test_off_skip_on(self):
        connection = self.connect()
        connection.send("CLIENT", "REPLY", "SKIP")
        connection.send("SET", "a", "1")
        self.assertEqual(connection("GET", "a"), b"1")
        connection.send("CLIENT", "REPLY", "OFF")
        for _ in range(10):
            connection.send("INCR", "n")
        connection.send("NONSENSE")
        self.assertTrue(connection.quiet(0.1))
        self.assertEqual(connection("CLIENT", "REPLY", "ON"), OK)
        self.assertEqual(connection("GET", "n"), b"10")

    def test_reset_turns_replies_on_and_forgets_the_session(self):
        connection, _ = self.named("me", protocol=3)
        connection("SELECT", "5")
        connection.send("CLIENT", "REPLY", "OFF")
        self.assertEqual(connection("RESET"), Simple("RESET"))
        self.assertIn(connection("CLIENT", "GETNAME"), (None, b""))
        self.assertIn(b" db=0 ", connection("CLIENT", "INFO"))
        self.assertRegex(connection("CLIENT", "INFO"), rb" resp=2\b")


class Options(ConnectionTestCase):
    def test_no_evict(self):
        connection = self.connect()
        self.assertEqual(connection("CLIENT", "NO-EVICT", "ON"), OK)
        self.assertIn(b" flags=e ", connection("CLIENT", "INFO"))
        self.assertEqual(connection("CLIENT", "NO-EVICT", "OFF"), OK)
        self.assertIn(b" flags=N ", connection("CLIENT", "INFO"))

    def test_no_touch(self):
        self.requires("client-setinfo")  # both came with 7.2
        connection, other = self.connect(), self.connect()
        other("SET", "k", "v")
        time.sleep(2.1)
        self.assertEqual(connection("CLIENT", "NO-TOUCH", "ON"), OK)
        self.assertIn(b" flags=T ", connection("CLIENT", "INFO"))
        connection("GET", "k")
        self.assertGreaterEqual(other("OBJECT", "IDLETIME", "k"), 1)
        connection("TOUCH", "k")
        self.assertEqual(other("OBJECT", "IDLETIME", "k"), 0)

    def test_help_of_every_container(self):
        connection = self.connect()
        for name in ("CLIENT", "COMMAND", "CONFIG", "DEBUG", "MEMORY", "OBJECT"):
            with self.subTest(name=name):
                lines = connection(name, "HELP")
                self.assertEqual(lines[0], Simple(
                    f"{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"))
                self.assertEqual(lines[-2], Simple("HELP"))
                self.assertRegex(lines[-1].text, "^    Prints? this help.$")  # Prints until 7.0


class Listening(ConnectionTestCase):
    def test_config_set_port_moves_the_socket(self):
        connection = self.connect()
        old, new = self.server.port, support.free_port()
        self.assertEqual(connection("CONFIG", "SET", "port", new), OK)
        self.assertEqual(connection("PING"), PONG)  # who is connected stays so
        self.server.port = new
        try:
            self.assertEqual(self.connect()("CONFIG", "GET", "port"), [b"port", str(new).encode()])
        finally:
            self.assertEqual(connection("CONFIG", "SET", "port", old), OK)
            self.server.port = old
        self.assertEqual(self.connect()("PING"), PONG)

    def test_an_address_that_is_not_ours_changes_nothing(self):
        connection = self.connect()
        before = connection("CONFIG", "GET", "bind")
        self.assertIsInstance(connection("CONFIG", "SET", "bind", "192.0.2.1"), Error)
        self.assertEqual(connection("CONFIG", "GET", "bind"), before)
        self.assertEqual(self.connect()("PING"), PONG)


class PublishSubscribe(ConnectionTestCase):
    def test_replies_and_messages_on_resp2(self):
        subscriber, publisher = self.connect(), self.connect()
        subscriber.send("SUBSCRIBE", "a", "b", "a")
        for channel, count in ((b"a", 1), (b"b", 2), (b"a", 2)):
            self.assertEqual(subscriber.read(), [b"subscribe", channel, count])
        self.assertEqual(publisher("PUBLISH", "a", "hello"), 1)
        self.assertEqual(subscriber.read(), [b"message", b"a", b"hello"])
        self.assertEqual(subscriber("PING", "x"), [b"pong", b"x"])
        self.assertEqual(subscriber("UNSUBSCRIBE", "a"), [b"unsubscribe", b"a", 1])
        self.assertEqual(subscriber("UNSUBSCRIBE"), [b"unsubscribe", b"b", 0])
        self.assertEqual(subscriber("PING"), PONG)

    def test_pushes_between_replies_on_resp3(self):
        subscriber, publisher = self.connect(3), self.connect(3)
        self.assertEqual(subscriber("SUBSCRIBE", "a"), Push([b"subscribe", b"a", 1]))
        self.assertEqual(publisher("PUBLISH", "a", "1"), 1)
        reply = subscriber.read()
        self.assertIsInstance(reply, Push)
        self.assertEqual(reply, [b"message", b"a", b"1"])
        self.assertEqual(subscriber("SET", "k", "v"), OK)
        self.assertEqual(subscriber("GET", "k"), b"v")

    def test_publishing_to_itself_on_resp3(self):
        connection = self.connect(3)
        connection("SUBSCRIBE", "a")
        connection.send("PUBLISH", "a", "x")
        self.assertEqual({type(connection.read()) for _ in range(2)}, {int, Push})

    def test_order_is_kept_for_every_subscriber_over_many_loops(self):
        """5 publishers, 5 subscribers: each subscriber gets each publisher's messages in order."""
        subscribers = [self.connect(timeout=30) for _ in range(5)]
        for subscriber in subscribers:
            subscriber("SUBSCRIBE", "a")
        count = 1000

        def publish(number):
            publisher = self.server.connect(timeout=30)
            replies = publisher.pipeline(("PUBLISH", "a", f"{number}:{i}") for i in range(count))
            publisher.close()
            received_by.update(replies)

        received_by = set()
        threads = [threading.Thread(target=publish, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(received_by, {5})
        for subscriber in subscribers:
            latest = [-1] * 5
            for _ in range(5 * count):
                number, i = map(int, subscriber.read()[2].split(b":"))
                self.assertEqual(i, latest[number] + 1)
                latest[number] = i

    def test_short_and_long_messages_keep_their_order_also_for_a_slow_reader(self):
        subscriber, publisher = self.connect(timeout=30), self.connect(timeout=30)
        subscriber("SUBSCRIBE", "a")
        sizes = [size for size in (1, 2047, 2048, 30, 100_000, 5, 6) for _ in range(2)] * 20
        messages = [f"{i:04}".encode() + b"x" * size for i, size in enumerate(sizes)]
        # Nobody reads while the first half comes.
        for half in (messages[:140], messages[140:]):
            self.assertEqual(set(publisher.pipeline(("PUBLISH", "a", m) for m in half)), {1})
            for message in half[:70]:
                self.assertEqual(subscriber.read(), [b"message", b"a", message])
            publisher("PUBLISH", "a", "behind")
            for message in half[70:] + [b"behind"]:
                self.assertEqual(subscriber.read(), [b"message", b"a", message])

    def test_a_subscriber_that_leaves_is_forgotten(self):
        publisher = self.connect()
        for _ in range(50):
            self.server.connect()("SUBSCRIBE", "a")
        support.wait_until(lambda: publisher("PUBLISH", "a", "x") == 0, "the subscribers to go")


class Turns(ServerTestCase):
    """INFO's eventloop_*: how often the loops wake, and how long they are awake."""

    OPTIONS = ("--io-threads", "2")

    def numbers(self, *sections):
        info = support.parse_info(self.connect()("INFO", *(sections or ("stats",))))
        return {name: int(value) for name, value in info.items() if "eventloop" in name}

    def test_what_an_idle_server_spends(self):
        begin = time.monotonic()
        before = self.numbers()
        time.sleep(0.5)
        after = self.numbers()
        us = (time.monotonic() - begin) * 1e6 * 2
        self.assertGreater(after["eventloop_cycles"], before["eventloop_cycles"])
        awake = after["eventloop_duration_sum"] - before["eventloop_duration_sum"]
        self.assertGreater(awake, 0)
        self.assertLess(awake, us)
        self.assertGreater(after["instantaneous_eventloop_cycles_per_sec"], 0)
        self.assertGreater(after["instantaneous_eventloop_duration_usec"], 0)

    def test_commands_are_part_of_it_also_inside_others(self):
        client = self.connect()
        before = self.numbers()
        client("DEBUG", "SLEEP", "0.1")
        client("MULTI")
        client("DEBUG", "SLEEP", "0.1")
        client("EXEC")
        client("EVAL", "for i = 1, 3e5 do redis.call('PING') end", "0")
        client("PING")  # the turn of the script is over
        after = self.numbers()
        commands = after["eventloop_duration_cmd_sum"] - before["eventloop_duration_cmd_sum"]
        awake = after["eventloop_duration_sum"] - before["eventloop_duration_sum"]
        self.assertGreater(commands, 200_000)
        self.assertGreater(awake, commands * 0.99)
        self.assertGreater(self.numbers("debug")["eventloop_duration_max"], 90_000)

    def test_the_section_debug_comes_only_when_it_is_asked_for(self):
        self.assertEqual(set(self.numbers("all")), set(self.numbers("stats")))
        self.assertEqual(set(self.numbers("debug")), {
            "eventloop_duration_aof_sum", "eventloop_duration_cron_sum", "eventloop_duration_max",
            "eventloop_cmd_per_cycle_max"})


class TwoLoops(PublishSubscribe):
    OPTIONS = ("--io-threads", "2")


if __name__ == "__main__":
    support.main()

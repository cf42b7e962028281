#!/usr/bin/python3
"""redis-py as Debian packages it (python3-redis): what applications and Celery do with it."""

import os
import random
import threading
import time

import redis

import support
from support import ServerTestCase


class RedisPy(ServerTestCase):
    def setUp(self):
        super().setUp()
        self.client = redis.Redis(port=self.server.port, socket_timeout=20)
        self.addCleanup(self.client.close)

    def test_strings(self):
        client = self.client
        self.assertTrue(client.set("k", "v"))
        self.assertEqual(client.get("k"), b"v")
        self.assertIsNone(client.get("none"))
        self.assertEqual(client.append("k", "w"), 2)
        self.assertEqual(client.strlen("k"), 2)
        self.assertEqual(client.getrange("k", 1, -1), b"w")
        self.assertEqual(client.setrange("k", 4, "z"), 5)
        self.assertEqual(client.get("k"), b"vw\x00\x00z")
        self.assertEqual(client.getset("k", "new"), b"vw\x00\x00z")
        self.assertEqual(client.getdel("k"), b"new")
        self.assertTrue(client.mset({"a": 1, "b": 2}))
        self.assertEqual(client.mget("a", "none", "b"), [b"1", None, b"2"])
        self.assertFalse(client.msetnx({"b": 3, "c": 4}))
        self.assertEqual(client.incr("a", 41), 42)
        self.assertEqual(client.decr("a"), 41)
        self.assertEqual(client.incrbyfloat("a", 0.5), 41.5)

    def test_options_of_set(self):
        client = self.client
        self.assertTrue(client.set("k", "1", nx=True))
        self.assertIsNone(client.set("k", "2", nx=True))
        self.assertTrue(client.set("k", "3", xx=True, ex=100))
        self.assertEqual(client.set("k", "4", get=True, keepttl=True), b"3")
        self.assertIn(client.ttl("k"), (99, 100))
        self.assertTrue(client.set("k", "5", px=50000))
        self.assertTrue(49000 < client.pttl("k") <= 50000)
        self.assertTrue(client.set("k", "6", exat=int(time.time()) + 200))
        self.assertTrue(198 <= client.ttl("k") <= 200)
        self.assertTrue(client.set("k", "7", pxat=int(time.time() * 1000) + 300_000))
        self.assertTrue(298 <= client.ttl("k") <= 300)
        self.assertTrue(client.set("k", "8"))
        self.assertEqual(client.ttl("k"), -1)

    def test_expiry(self):
        client = self.client
        self.assertEqual(client.ttl("none"), -2)
        client.set("k", "v")
        self.assertEqual(client.ttl("k"), -1)
        self.assertTrue(client.expire("k", 100))
        self.assertTrue(client.expire("k", 200, gt=True))
        self.assertFalse(client.expire("k", 100, gt=True))
        self.assertFalse(client.expire("k", 100, nx=True))
        self.assertTrue(client.persist("k"))
        self.assertTrue(client.expireat("k", int(time.time()) + 100))
        self.assertTrue(client.expiretime("k") > time.time() + 90)
        self.assertEqual(client.getex("k", persist=True), b"v")
        self.assertEqual(client.ttl("k"), -1)
        self.assertTrue(client.setex("short", 1, "v"))
        self.assertTrue(client.psetex("shorter", 30, "v"))
        support.wait_until(lambda: client.get("shorter") is None, "30 ms to pass")
        self.assertEqual(client.get("short"), b"v")
        self.assertTrue(client.expire("k", -1))
        self.assertFalse(client.exists("k"))

    def test_keys(self):
        client = self.client
        client.mset({"a": 1, "b": 2, "c": 3})
        self.assertEqual(client.exists("a", "b", "none", "a"), 3)
        self.assertTrue(client.rename("a", "d"))
        self.assertFalse(client.renamenx("b", "d"))
        self.assertEqual(client.type("d"), b"string")
        self.assertEqual(client.touch("b", "c", "none"), 2)
        self.assertTrue(client.copy("d", "e"))
        self.assertEqual(sorted(client.keys("*")), [b"b", b"c", b"d", b"e"])
        self.assertEqual(client.unlink("b", "none"), 1)
        self.assertEqual(client.delete("c", "d", "e"), 3)
        self.assertEqual(client.dbsize(), 0)
        self.assertIsNone(client.randomkey())

    def test_scan_iter(self):
        names = {f"key:{i}".encode() for i in range(2500)}
        self.client.mset(dict.fromkeys(names, 1))
        self.client.set("other", 1)
        self.assertEqual(set(self.client.scan_iter(match="key:*", count=100)), names)
        self.assertEqual(list(self.client.scan_iter(match="other")), [b"other"])
        self.assertEqual(list(self.client.scan_iter(_type="HASH")), [])

    def test_a_pipeline_of_100_000_mixed_commands_answers_in_order(self):
        """Replies are predicted by a dictionary that goes through the same commands."""
        dice = random.Random(7)
        model = {}
        pipeline = self.client.pipeline(transaction=False)
        expected = []
        for number in range(100_000):
            key = f"k{dice.randrange(1000)}"
            action = dice.randrange(6)
            if action == 0:
                pipeline.set(key, number)
                model[key] = number
                expected.append(True)
            elif action == 1:
                pipeline.get(key)
                expected.append(str(model[key]).encode() if key in model else None)
            elif action == 2:
                pipeline.incr(key)
                model[key] = model.get(key, 0) + 1
                expected.append(model[key])
            elif action == 3:
                pipeline.delete(key)
                expected.append(1 if model.pop(key, None) is not None else 0)
            elif action == 4:
                pipeline.strlen(key)
                expected.append(len(str(model[key])) if key in model else 0)
            else:
                pipeline.echo(f"echo {number}")
                expected.append(f"echo {number}".encode())
        self.assertTrue(pipeline.execute() == expected, "a reply is wrong or out of order")

    def test_errors_are_exceptions(self):
        client = self.client
        client.set("k", "text")
        with self.assertRaisesRegex(redis.ResponseError, "value is not an integer or out of range"):
            client.incr("k")
        with self.assertRaisesRegex(redis.ResponseError, "unknown command 'NONSENSE'"):
            client.execute_command("NONSENSE", "x")
        with self.assertRaisesRegex(redis.ResponseError, "wrong number of arguments for 'get'"):
            client.execute_command("GET")
        with self.assertRaisesRegex(redis.ResponseError, "invalid expire time in 'set' command"):
            client.set("k", "v", ex=0)
        pipeline = client.pipeline(transaction=False)
        pipeline.set("k", "x").incr("k").get("k")
        done, error, value = pipeline.execute(raise_on_error=False)
        self.assertEqual((done, value), (True, b"x"))
        self.assertIsInstance(error, redis.ResponseError)

    def test_binary_keys_and_values(self):
        key = bytes(range(256))
        value = os.urandom(1000) + b"\r\n\x00$-1\r\n"
        self.client.set(key, value)
        self.assertEqual(self.client.get(key), value)
        self.assertEqual(self.client.keys(), [key])
        self.client.set(b"", b"")
        self.assertEqual(self.client.get(b""), b"")

    def test_values_of_5_mb(self):
        value = os.urandom(5 * 1024 * 1024)
        self.client.set("big", value)
        self.assertEqual(self.client.get("big"), value)
        self.assertEqual(self.client.mget("big", "big"), [value, value])
        middle = self.client.getrange("big", 4_000_000, 4_000_099)
        self.assertEqual(middle, value[4_000_000:4_000_100])

    def test_publish_and_subscribe(self):
        subscriber = self.client.pubsub()
        self.addCleanup(subscriber.close)
        subscriber.subscribe("news", "weather")
        first = [subscriber.get_message(timeout=5) for _ in range(2)]
        self.assertEqual([message["type"] for message in first], ["subscribe"] * 2)
        self.assertEqual(self.client.publish("news", b"\x00\xff"), 1)
        self.assertEqual(self.client.publish("nobody", "x"), 0)
        message = subscriber.get_message(timeout=5)
        self.assertEqual((message["channel"], message["data"]), (b"news", b"\x00\xff"))
        subscriber.ping()
        self.assertEqual(subscriber.get_message(timeout=5)["type"], "pong")
        subscriber.unsubscribe("news")
        self.assertEqual(subscriber.get_message(timeout=5)["type"], "unsubscribe")
        self.assertEqual(self.client.publish("news", "x"), 0)

    def test_a_listening_thread_gets_every_message_in_order(self):
        count = 5000
        received = []
        subscriber = self.client.pubsub(ignore_subscribe_messages=True)
        self.addCleanup(subscriber.close)
        subscriber.subscribe("stream")

        def listen():
            for message in subscriber.listen():
                received.append(int(message["data"]))
                if len(received) == count:
                    return

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        support.wait_until(lambda: self.client.publish("stream", 0), "the subscription")
        pipeline = self.client.pipeline(transaction=False)
        for number in range(1, count):
            pipeline.publish("stream", number)
        self.assertEqual(set(pipeline.execute()), {1})
        listener.join(20)
        self.assertEqual(received, list(range(count)))

    def test_patterns_beside_channels(self):
        subscriber = self.client.pubsub(ignore_subscribe_messages=True)
        self.addCleanup(subscriber.close)
        subscriber.psubscribe("news.*", "*.[a-c]?t")
        subscriber.subscribe("news.cat")
        support.wait_until(lambda: self.client.pubsub_numsub("news.cat")[0][1] == 1, "it")
        self.assertEqual(self.client.publish("news.cat", "x"), 3)
        self.assertEqual(self.client.publish("news.dog", "y"), 1)
        self.assertEqual(self.client.pubsub_channels("news*"), [b"news.cat"])
        self.assertEqual(self.client.pubsub_numpat(), 2)
        heard = []

        def listen():
            message = subscriber.get_message(timeout=0.1)
            if message is not None:
                heard.append((message["type"], message["pattern"], message["channel"],
                              message["data"]))
            return len(heard) == 4

        support.wait_until(listen, "four messages")
        self.assertEqual(heard[0], ("message", None, b"news.cat", b"x"))
        self.assertEqual(sorted(heard[1:3]), [("pmessage", b"*.[a-c]?t", b"news.cat", b"x"),
                                              ("pmessage", b"news.*", b"news.cat", b"x")])
        self.assertEqual(heard[3], ("pmessage", b"news.*", b"news.dog", b"y"))
        subscriber.punsubscribe()
        subscriber.unsubscribe()
        support.wait_until(lambda: self.client.publish("news.cat", "late") == 0, "the end of it")
        self.assertEqual(self.client.pubsub_numpat(), 0)

    def test_handlers_run_in_a_thread(self):
        heard = {"channel": [], "pattern": []}
        subscriber = self.client.pubsub(ignore_subscribe_messages=True)
        self.addCleanup(subscriber.close)
        subscriber.subscribe(news=lambda message: heard["channel"].append(message["data"]))
        subscriber.psubscribe(
            **{"new*": lambda message: heard["pattern"].append(message["data"])})
        thread = subscriber.run_in_thread(sleep_time=0.01, daemon=True)
        support.wait_until(lambda: self.client.publish("news", 0) == 2, "both subscriptions")
        for number in range(1, 200):
            self.assertEqual(self.client.publish("news", number), 2)
        expected = [str(number).encode() for number in range(200)]
        support.wait_until(lambda: heard["channel"][-200:] == heard["pattern"][-200:] == expected,
                           "every message")
        thread.stop()
        thread.join(10)
        self.assertFalse(thread.is_alive())
        support.wait_until(lambda: self.client.publish("news", "late") == 0, "the end of it")

    def test_subscriptions_come_back_after_a_restart(self):
        subscriber = self.client.pubsub(ignore_subscribe_messages=True)
        self.addCleanup(subscriber.close)
        subscriber.subscribe("news")
        subscriber.psubscribe("n*")
        support.wait_until(lambda: self.client.publish("news", "x") == 2, "both")
        self.server.restart()

        def heard():
            try:
                message = subscriber.get_message(timeout=0.05)
            except redis.ConnectionError:
                return False  # told once; the next call connects
            self.client.publish("news", "again")
            return message is not None and message["data"] == b"again"

        support.wait_until(heard, "a message")

    def test_keyspace_notifications(self):
        self.client.config_set("notify-keyspace-events", "KA")
        self.addCleanup(self.client.config_set, "notify-keyspace-events", "")
        subscriber = self.client.pubsub(ignore_subscribe_messages=True)
        self.addCleanup(subscriber.close)
        subscriber.psubscribe("__keyspace@0__:*")
        subscriber.get_message(timeout=5)
        self.client.pipeline().set("k", 1).incr("k").pexpire("k", 20).lpush("l", "x") \
            .lpop("l").execute()
        expected = [(b"k", b"set"), (b"k", b"incrby"), (b"k", b"expire"), (b"l", b"lpush"),
                    (b"l", b"lpop"), (b"l", b"del"), (b"k", b"expired")]
        heard = []

        def listen():
            message = subscriber.get_message(timeout=0.1)
            if message is not None:
                heard.append((message["channel"].split(b":", 1)[1], message["data"]))
            return len(heard) == len(expected)

        support.wait_until(listen, lambda: f"all events: {heard}")
        self.assertEqual(heard, expected)

    def test_reconnects_after_a_restart(self):
        self.client.set("k", "v")
        self.server.restart()
        self.assertIsNone(self.client.get("k"))
        self.assertTrue(self.client.set("k", "again"))

    def test_fails_cleanly_while_the_server_is_down(self):
        self.assertTrue(self.client.ping())
        self.server.stop()
        with self.assertRaises(redis.ConnectionError):
            self.client.ping()
        self.server.start(attempts=1)
        self.assertTrue(self.client.ping())

    def test_client_commands(self):
        client = self.client
        client.client_setname("py")
        self.assertEqual(client.client_getname(), "py")
        self.assertIn(str(client.client_id()), [entry["id"] for entry in client.client_list()])
        self.assertEqual(client.info("server")["redis_mode"], "standalone")
        self.assertEqual(client.config_get("maxmemory-policy"), {"maxmemory-policy": "noeviction"})
        self.assertTrue(client.config_set("timeout", 0))
        self.assertTrue(abs(client.time()[0] - time.time()) < 5)


class Password(ServerTestCase):
    OPTIONS = ("--requirepass", "s3cret")

    def test_right_wrong_and_no_password(self):
        self.assertTrue(redis.Redis(port=self.server.port, password="s3cret").ping())
        self.assertTrue(
            redis.Redis(port=self.server.port, username="default", password="s3cret").ping())
        with self.assertRaisesRegex(redis.RedisError, "WRONGPASS invalid username-password pair"):
            redis.Redis(port=self.server.port, password="wrong").ping()
        with self.assertRaises(redis.AuthenticationError):
            redis.Redis(port=self.server.port).ping()


class UnixSocket(ServerTestCase):
    UNIXSOCKET = True

    def test_strings(self):
        client = redis.Redis(unix_socket_path=str(self.server.unixsocket))
        self.assertTrue(client.set("k", "v"))
        self.assertEqual(client.get("k"), b"v")


if __name__ == "__main__":
    support.main()

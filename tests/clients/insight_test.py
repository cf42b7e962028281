#!/usr/bin/env python3
"""What Redis Insight sends: when it connects, for its overview, its browser of keys, its analysis, its slow
log and its profiler. Every request must be answered in the form that its parsers expect."""

import re

import support
from resp import OK, QUEUED, Error, Map, Verbatim
from support import ServerTestCase, parse_info


class Insight(ServerTestCase):
    OPTIONS = ("--requirepass", "s3cret")

    def setUp(self):
        self.client = self.connect()
        self.assertEqual(self.client("AUTH", "default", "s3cret"), OK)
        self.client("FLUSHALL")
        self.fill(self.client)

    @staticmethod
    def fill(client):
        client("SET", "text", "a value")
        client("SET", "soon", "gone", "EX", "100")
        client("HSET", "hash", "field", "value")
        client("RPUSH", "list", "a", "b", "c")
        client("SADD", "set", "a", "b")
        client("ZADD", "zset", "1", "a", "2", "b")

    def test_connecting(self):
        client = self.connect()
        self.assertRegex(client("PING").text, "^NOAUTH")
        self.assertEqual(client("AUTH", "default", "s3cret"), OK)
        self.assertEqual(client("CLIENT", "SETNAME", "redisinsight-common-1a2b"), OK)
        info = parse_info(client("INFO"))
        for field in ("redis_version", "redis_mode", "os", "uptime_in_days", "used_memory", "role",
                      "connected_clients", "total_commands_processed", "keyspace_hits",
                      "instantaneous_ops_per_sec", "instantaneous_input_kbps", "cluster_enabled"):
            self.assertIn(field, info)
        self.assertRegex(info["db0"], "^keys=6,expires=1,avg_ttl=[0-9]+")
        self.assertEqual(client("CONFIG", "GET", "databases"), [b"databases", b"16"])
        self.assertEqual(client("MODULE", "LIST"), [])
        self.assertIsInstance(client("COMMAND"), list)
        self.assertRegex(client("CLUSTER", "INFO").text, "cluster support disabled")
        self.assertRegex(client("SENTINEL", "MASTERS").text, "^ERR unknown command")
        self.assertIn(b" name=redisinsight-common-1a2b ", client("CLIENT", "LIST"))

    def test_the_same_in_resp3(self):
        client = self.connect()
        hello = client("HELLO", 3, "AUTH", "default", "s3cret", "SETNAME", "redisinsight")
        self.assertIsInstance(hello, Map)
        self.assertEqual(hello.get(b"modules"), [])
        self.assertIsInstance(client("INFO"), Verbatim)
        self.assertEqual(client("CONFIG", "GET", "databases"), Map([(b"databases", b"16")]))
        self.assertEqual(client("MODULE", "LIST"), [])
        self.assertEqual(client("MEMORY", "USAGE", "none"), None)

    def test_sections_of_info(self):
        for section in ("server", "clients", "memory", "persistence", "stats", "replication", "cpu",
                        "cluster", "keyspace", "commandstats"):
            with self.subTest(section=section):
                text = self.client("INFO", section)
                self.assertTrue(text.startswith(b"# " + section.capitalize().replace(
                    "Cpu", "CPU").encode()), text[:60])

    def test_the_browser_of_keys(self):
        self.assertEqual(self.client("DBSIZE"), 6)
        cursor, keys = self.client("SCAN", "0", "MATCH", "*", "COUNT", "10000")
        self.assertEqual((cursor, sorted(keys)),
                         (b"0", [b"hash", b"list", b"set", b"soon", b"text", b"zset"]))
        self.assertEqual(self.client("SCAN", "0", "MATCH", "*", "COUNT", "500", "TYPE", "hash"),
                         [b"0", [b"hash"]])
        replies = self.client.pipeline(
            command for key in ("text", "soon", "hash", "list", "set", "zset")
            for command in (("TYPE", key), ("TTL", key), ("MEMORY", "USAGE", key, "SAMPLES", "0")))
        self.assertEqual([kind.text for kind in replies[0::3]],
                         ["string", "string", "hash", "list", "set", "zset"])
        self.assertEqual(replies[1], -1)
        self.assertIn(replies[4], range(95, 101))
        self.assertTrue(all(0 < size < 1000 for size in replies[2::3]), replies[2::3])

    def test_looking_at_values(self):
        client = self.client
        self.assertEqual(client("STRLEN", "text"), 7)
        self.assertEqual(client("GETRANGE", "text", "0", "4999"), b"a value")
        self.assertEqual(client("HLEN", "hash"), 1)
        self.assertEqual(client("HSCAN", "hash", "0", "MATCH", "*", "COUNT", "500"),
                         [b"0", [b"field", b"value"]])
        self.assertEqual(client("LLEN", "list"), 3)
        self.assertEqual(client("LRANGE", "list", "0", "499"), [b"a", b"b", b"c"])
        self.assertEqual(client("SCARD", "set"), 2)
        cursor, members = client("SSCAN", "set", "0", "MATCH", "*", "COUNT", "500")
        self.assertEqual((cursor, sorted(members)), (b"0", [b"a", b"b"]))
        self.assertEqual(client("ZCARD", "zset"), 2)
        self.assertEqual(client("ZRANGE", "zset", "0", "499", "WITHSCORES"), [b"a", b"1", b"b", b"2"])
        self.assertEqual(client("ZSCAN", "zset", "0", "MATCH", "*", "COUNT", "500"),
                         [b"0", [b"a", b"1", b"b", b"2"]])
        self.assertIn(client("OBJECT", "ENCODING", "hash"), (b"listpack", b"ziplist"))

    def test_changing_them(self):
        client = self.client
        self.assertEqual(client("EXPIRE", "text", "50"), 1)
        self.assertEqual(client("PERSIST", "text"), 1)
        self.assertEqual(client("RENAMENX", "text", "renamed"), 1)
        self.assertEqual(client("MULTI"), OK)
        self.assertEqual(client("LSET", "list", "0", "z"), QUEUED)
        self.assertEqual(client("HSET", "hash", "other", "1"), QUEUED)
        self.assertEqual(client("EXEC"), [OK, 1])
        self.assertEqual(client("UNLINK", "renamed", "list"), 2)

    def test_the_slow_log(self):
        client = self.client
        self.assertEqual(client("CONFIG", "SET", "slowlog-log-slower-than", "0"), OK)
        self.assertEqual(client("CONFIG", "GET", "slowlog*"),
                         [b"slowlog-log-slower-than", b"0", b"slowlog-max-len", b"128"])
        client("GET", "text")
        entry = client("SLOWLOG", "GET", "50")[0]
        self.assertEqual(len(entry), 6)
        self.assertEqual(entry[3], [b"GET", b"text"])
        self.assertGreater(client("SLOWLOG", "LEN"), 1)
        self.assertEqual(client("SLOWLOG", "RESET"), OK)
        self.assertEqual(client("CONFIG", "SET", "slowlog-log-slower-than", "10000"), OK)

    def test_the_profiler(self):
        profiler = self.client
        self.assertEqual(profiler("MONITOR"), OK)
        other = self.connect()
        self.assertEqual(other("AUTH", "s3cret"), OK)
        other("GET", "text")
        line = profiler.read().text
        while '"GET"' not in line:
            line = profiler.read().text
        self.assertTrue(re.fullmatch(r'[0-9]+\.[0-9]{6} \[0 127\.0\.0\.1:[0-9]+\] "GET" "text"', line), line)

    def test_what_it_asks_of_modules_is_unknown(self):
        for words in (("FT._LIST",), ("JSON.GET", "text"), ("TS.INFO", "text"), ("GRAPH.LIST",)):
            reply = self.client(*words)
            self.assertIsInstance(reply, Error)
            self.assertRegex(reply.text, f"^ERR unknown command '{re.escape(words[0])}'")


if __name__ == "__main__":
    support.main()

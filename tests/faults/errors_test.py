#!/usr/bin/env python3
"""The error texts that clients match on, one table per theme, on RESP2 and RESP3."""

import support
from resp import OK, Error
from support import ServerTestCase

NOT_AN_INTEGER = "ERR value is not an integer or out of range"
NOT_A_FLOAT = "ERR value is not a valid float"
SYNTAX = "ERR syntax error"
NO_SUCH_KEY = "ERR no such key"
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)


def arity(name):
    return f"ERR wrong number of arguments for '{name}' command"


def expire_time(name):
    return f"ERR invalid expire time in '{name}' command"


class ErrorTexts(ServerTestCase):
    def assert_errors(self, *table):
        """Each row is a command line, split at blanks, and the error it must get."""
        for protocol in (2, 3):
            connection = self.connect(protocol)
            for line, text in table:
                command = line.split() if isinstance(line, str) else line
                with self.subTest(command=line, protocol=protocol):
                    self.assertEqual(connection(*command), Error(text))

    def given(self, **values):
        """Sets keys to strings."""
        connection = self.connect()
        for key, value in values.items():
            self.assertEqual(connection("SET", key, value), OK)
        return connection

    def test_unknown_commands(self):
        prefix = "ERR unknown command"
        self.assert_errors(
            ("NONSENSE", f"{prefix} 'NONSENSE', with args beginning with: "),
            ("nonsense a b", f"{prefix} 'nonsense', with args beginning with: 'a' 'b' "),
            (("GE\r\nT", "x"), f"{prefix} 'GE  T', with args beginning with: 'x' "),
            (("",), f"{prefix} '', with args beginning with: "),
            (("N" * 200,), f"{prefix} '{'N' * 128}', with args beginning with: "),
            (("X", "a" * 100, "b" * 100),
             f"{prefix} 'X', with args beginning with: '{'a' * 100}' '{'b' * 25}' "),
        )

    def test_unknown_subcommands(self):
        for container in ("CLIENT", "CONFIG", "COMMAND", "OBJECT", "MEMORY"):
            self.assert_errors(
                (f"{container} NONSENSE",
                 f"ERR unknown subcommand 'NONSENSE'. Try {container} HELP."),
                (f"{container.lower()} nonsense x",
                 f"ERR unknown subcommand 'nonsense'. Try {container} HELP."),
            )

    def test_arity(self):
        self.assert_errors(
            ("GET", arity("get")),
            ("GET a b", arity("get")),
            ("SET k", arity("set")),
            ("CLIENT", arity("client")),
            ("OBJECT", arity("object")),
            ("MSET a 1 b", arity("mset")),
            ("MSETNX a", arity("msetnx")),
            ("INCR", arity("incr")),
            ("INCRBY k", arity("incrby")),
            ("GETRANGE k 0", arity("getrange")),
            ("DEL", arity("del")),
            ("EXPIRE k", arity("expire")),
            ("RENAME a", arity("rename")),
            ("PING a b", arity("ping")),
            ("ECHO", arity("echo")),
            ("SELECT", arity("select")),
            ("SUBSCRIBE", arity("subscribe")),
            ("PUBLISH news", arity("publish")),
            ("CLIENT SETNAME", arity("client|setname")),
            ("CLIENT KILL", arity("client|kill")),
            ("CONFIG GET", arity("config|get")),
            ("CONFIG SET timeout", arity("config|set")),
            ("OBJECT ENCODING", arity("object|encoding")),
            ("MEMORY USAGE", arity("memory|usage")),
            ("SCAN", arity("scan")),
            ("SWAPDB 0", arity("swapdb")),
            ("LCS a", arity("lcs")),
        )

    def test_options_of_set(self):
        self.assert_errors(
            ("SET k v NONSENSE", SYNTAX),
            ("SET k v NX XX", SYNTAX),
            ("SET k v EX", SYNTAX),
            ("SET k v EX 1 PX 1", SYNTAX),
            ("SET k v EX 1 KEEPTTL", SYNTAX),
            ("SET k v EXAT 9999999999 EX 1", SYNTAX),
            ("SET k v EX abc", NOT_AN_INTEGER),
            ("SET k v EX 1.5", NOT_AN_INTEGER),
            ("SET k v EX 0", expire_time("set")),
            ("SET k v PX -1", expire_time("set")),
            ("SET k v EXAT 0", expire_time("set")),
            (f"SET k v EX {MAX_INTEGER}", expire_time("set")),
            (f"SET k v EX {MAX_INTEGER // 1000 + 1}", expire_time("set")),
            (f"SET k v PX {MAX_INTEGER}", expire_time("set")),
            (f"SET k v EX {MAX_INTEGER + 1}", NOT_AN_INTEGER),
            ("SETEX k 0 v", expire_time("setex")),
            ("SETEX k abc v", NOT_AN_INTEGER),
            ("PSETEX k -5 v", expire_time("psetex")),
            ("GETEX k EX 1 PERSIST", SYNTAX),
            ("GETEX k KEEPTTL", SYNTAX),
        )
        self.assertEqual(self.connect()("EXISTS", "k"), 0)

    def test_options_of_getex(self):
        connection = self.given(k="v")
        self.assert_errors(
            ("GETEX k EX 0", expire_time("getex")),
            ("GETEX k PXAT -1", expire_time("getex")),
            (f"GETEX k EX {MAX_INTEGER}", expire_time("getex")),
            ("GETEX k EX abc", NOT_AN_INTEGER),
        )
        self.assertEqual(connection("TTL", "k"), -1)

    def test_comparing_options_of_set(self):
        self.requires("set-ifeq")
        self.assert_errors(
            ("SET k v IFEQ", SYNTAX),
            ("SET k v IFEQ a NX", SYNTAX),
            ("SET k v IFEQ a XX", SYNTAX),
            ("SET k v IFEQ a IFEQ b", SYNTAX),
        )

    def test_delifeq(self):
        self.requires("delifeq")
        self.assert_errors(("DELIFEQ k", arity("delifeq")), ("DELIFEQ k a b", arity("delifeq")))

    def test_integer_overflow(self):
        overflow = "ERR increment or decrement would overflow"
        self.given(max=MAX_INTEGER, min=MIN_INTEGER, text="x", spaced=" 1", float="1.5",
                   huge=str(MAX_INTEGER + 1), padded="01")
        self.assert_errors(
            ("INCR max", overflow),
            ("INCRBY max 1", overflow),
            (f"INCRBY max {MAX_INTEGER}", overflow),
            ("DECR min", overflow),
            ("DECRBY min 1", overflow),
            (f"INCRBY min {MIN_INTEGER}", overflow),
            (f"DECRBY max {MIN_INTEGER}", "ERR decrement would overflow"),
            ("INCR text", NOT_AN_INTEGER),
            ("INCR spaced", NOT_AN_INTEGER),
            ("INCR float", NOT_AN_INTEGER),
            ("INCR huge", NOT_AN_INTEGER),
            ("INCR padded", NOT_AN_INTEGER),
            ("INCRBY max abc", NOT_AN_INTEGER),
            ("INCRBY max 1.5", NOT_AN_INTEGER),
            (f"INCRBY max {MAX_INTEGER + 1}", NOT_AN_INTEGER),
        )
        connection = self.connect()
        self.assertEqual(connection("GET", "max"), str(MAX_INTEGER).encode())
        self.assertEqual(connection("GET", "min"), str(MIN_INTEGER).encode())

    def test_float_overflow(self):
        not_finite = "ERR increment would produce NaN or Infinity"
        self.given(big="1e4932", text="x", spaced=" 1")
        self.assert_errors(
            ("INCRBYFLOAT big 1e4932", not_finite),
            ("INCRBYFLOAT none inf", not_finite),
            ("INCRBYFLOAT none -inf", not_finite),
            ("INCRBYFLOAT none nan", NOT_A_FLOAT),
            ("INCRBYFLOAT none abc", NOT_A_FLOAT),
            ("INCRBYFLOAT text 1", NOT_A_FLOAT),
            ("INCRBYFLOAT spaced 1", NOT_A_FLOAT),
        )

    def test_string_size_limit(self):
        too_long = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
        connection = self.given(k="abc")
        self.assert_errors(
            ("SETRANGE k -1 x", "ERR offset is out of range"),
            ("SETRANGE k abc x", NOT_AN_INTEGER),
            (f"SETRANGE k {512 * 1024 * 1024} x", too_long),
            (f"SETRANGE k {512 * 1024 * 1024 - 1} xy", too_long),
            (f"SETRANGE k {MAX_INTEGER} x", too_long),
            (f"SETRANGE none {MAX_INTEGER} x", too_long),
            ("GETRANGE k a 1", NOT_AN_INTEGER),
        )
        self.assertEqual(connection("GET", "k"), b"abc")
        self.assertEqual(connection("EXISTS", "none"), 0)
        self.assertEqual(connection("SETRANGE", "none", MAX_INTEGER, ""), 0)

    def test_append_up_to_the_limit(self):
        """With the limit lowered to 1 MB, so that the test is quick."""
        connection = self.given(k="x" * (1024 * 1024 - 1))
        self.addCleanup(connection, "CONFIG", "SET", "proto-max-bulk-len", 512 * 1024 * 1024)
        connection("CONFIG", "SET", "proto-max-bulk-len", 1024 * 1024)
        self.assertEqual(connection("APPEND", "k", "yz"), Error(
            "ERR string exceeds maximum allowed size (proto-max-bulk-len)"))
        self.assertEqual(connection("STRLEN", "k"), 1024 * 1024 - 1)
        self.assertEqual(connection("APPEND", "k", "y"), 1024 * 1024)

    def test_expire_family(self):
        connection = self.given(k="v")
        options = "ERR NX and XX, GT or LT options at the same time are not compatible"
        greater_or_less = "ERR GT and LT options at the same time are not compatible"
        for name in ("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"):
            self.assert_errors(
                (f"{name} k abc", NOT_AN_INTEGER),
                (f"{name} k 1.5", NOT_AN_INTEGER),
                (f"{name} k {MAX_INTEGER + 1}", NOT_AN_INTEGER),
                (f"{name} k 100 NX XX", options),
                (f"{name} k 100 NX GT", options),
                (f"{name} k 100 GT LT", greater_or_less),
                (f"{name} k 100 AB", "ERR Unsupported option AB"),
            )
        self.assert_errors(
            (f"EXPIRE k {MAX_INTEGER}", expire_time("expire")),
            (f"EXPIRE k {MIN_INTEGER}", expire_time("expire")),
            (f"EXPIRE k {MAX_INTEGER // 1000}", expire_time("expire")),
            (f"PEXPIRE k {MAX_INTEGER}", expire_time("pexpire")),
            (f"EXPIREAT k {MAX_INTEGER}", expire_time("expireat")),
            (f"EXPIREAT k {MIN_INTEGER}", expire_time("expireat")),
        )
        self.assertEqual(connection("TTL", "k"), -1)

    def test_keys_and_databases(self):
        self.given(k="v")
        self.assert_errors(
            ("RENAME none other", NO_SUCH_KEY),
            ("RENAMENX none other", NO_SUCH_KEY),
            ("OBJECT HELP extra", arity("object|help")),
            ("SELECT 16", "ERR DB index is out of range"),
            ("SELECT -1", "ERR DB index is out of range"),
            ("SELECT abc", NOT_AN_INTEGER),
            ("SWAPDB 0 16", "ERR DB index is out of range"),
            ("SWAPDB a 0", "ERR invalid first DB index"),
            ("SWAPDB 0 b", "ERR invalid second DB index"),
            ("MOVE k 16", "ERR DB index is out of range"),
            ("MOVE k 0", "ERR source and destination objects are the same"),
            ("COPY k k", "ERR source and destination objects are the same"),
            ("COPY k other DB 16", "ERR DB index is out of range"),
            ("COPY k other NONSENSE", SYNTAX),
            ("FLUSHALL NONSENSE", SYNTAX),
            ("FLUSHDB SYNC ASYNC", SYNTAX),
        )

    def test_scan(self):
        self.assert_errors(
            ("SCAN abc", "ERR invalid cursor"),
            ("SCAN 1x", "ERR invalid cursor"),
            ("SCAN 0 COUNT 0", SYNTAX),
            ("SCAN 0 COUNT -1", SYNTAX),
            ("SCAN 0 COUNT abc", NOT_AN_INTEGER),
            ("SCAN 0 MATCH", SYNTAX),
            ("SCAN 0 NONSENSE x", SYNTAX),
        )

    def test_scan_with_a_negative_cursor(self):
        self.requires("strict-scan-cursor")
        self.assert_errors(("SCAN -1", "ERR invalid cursor"))

    def test_client(self):
        invalid_name = "ERR Client names cannot contain spaces, newlines or special characters."
        self.assert_errors(
            (("CLIENT", "SETNAME", "a b"), invalid_name),
            (("CLIENT", "SETNAME", "a\nb"), invalid_name),
            ("CLIENT KILL 1.2.3.4:5", "ERR No such client"),
            ("CLIENT KILL ID abc", "ERR client-id should be greater than 0"),
            ("CLIENT KILL TYPE nonsense", "ERR Unknown client type 'nonsense'"),
            ("CLIENT KILL ID 1 TYPE", SYNTAX),
            ("CLIENT LIST TYPE nonsense", "ERR Unknown client type 'nonsense'"),
            ("CLIENT LIST ID abc", "ERR Invalid client ID"),
            ("CLIENT REPLY NONSENSE", SYNTAX),
            ("CLIENT PAUSE abc", "ERR timeout is not an integer or out of range"),
            ("CLIENT PAUSE -1", "ERR timeout is negative"),
            ("CLIENT NO-EVICT maybe", SYNTAX),
        )

    def test_config(self):
        self.assert_errors(
            ("CONFIG SET nonsense 1",
             "ERR Unknown option or number of arguments for CONFIG SET - 'nonsense'"),
            ("CONFIG SET port abc",
             "ERR CONFIG SET failed (possibly related to argument 'port') - "
             "argument couldn't be parsed into an integer"),
            ("CONFIG SET timeout 1 timeout 2",
             "ERR CONFIG SET failed (possibly related to argument 'timeout') - "
             "duplicate parameter"),
            ("CONFIG SET databases 4",
             "ERR CONFIG SET failed (possibly related to argument 'databases') - "
             "can't set immutable config"),
            ("CONFIG SET maxmemory-policy nonsense",
             "ERR CONFIG SET failed (possibly related to argument 'maxmemory-policy') - "
             "argument(s) must be one of the following: volatile-lru, volatile-lfu, "
             "volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, "
             f"{'' if support.lacks('s3-policies') else 'volatile-s3, allkeys-s3, '}noeviction"),
        )
        self.assertEqual(self.connect()("CONFIG", "GET", "nonsense"), [])

    def test_a_failed_config_set_changes_nothing(self):
        connection = self.connect()
        reply = connection("CONFIG", "SET", "timeout", "77", "maxclients", "abc")
        self.assertIsInstance(reply, Error)
        self.assertEqual(connection("CONFIG", "GET", "timeout"), [b"timeout", b"0"])

    def test_a_subscriber_on_resp2_may_only_subscribe(self):
        connection = self.connect()
        connection("SUBSCRIBE", "news")
        self.assertEqual(connection("GET", "k"), Error(
            "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
            "are allowed in this context"))

    def test_errors_are_counted(self):
        connection = self.connect()
        connection("CONFIG", "RESETSTAT")
        connection("NONSENSE")
        connection("SET", "k", "v", "EX", "0")
        info = support.parse_info(connection("INFO", "everything"))
        self.assertEqual(info["errorstat_ERR"], "count=2")
        self.assertEqual(info["total_error_replies"], "2")
        self.assertIn("rejected_calls=0,failed_calls=1", info["cmdstat_set"])


if __name__ == "__main__":
    support.main()

#!/usr/bin/env python3
"""The connection handshakes of the common clients, replayed on the wire and compared byte by byte.

Every handshake is sent twice: as one write, as the clients do, and one byte per write.
"""

import re

import support
from resp import encode, to_bytes
from support import ServerTestCase

PASSWORD = "s3cret"
TRACER = bytes((0x8F, 0x00, 0x0D, 0x0A, 0x24, 0xFF, 0x2A, 0x01, 0x7F, 0x0D, 0x00, 0x0A, 0xC3, 0x28,
                0x22, 0x5C))  # 16 bytes that no text protocol could carry

OK = b"+OK\r\n"
PONG = b"+PONG\r\n"
INTEGER = re.compile(rb":[1-9]\d*\r\n")
OK_OR_ERROR = re.compile(rb"(\+OK|-ERR [^\r\n]+)\r\n")
NULL2 = b"$-1\r\n"
NULL3 = b"_\r\n"
STANDALONE = b"-ERR This instance has cluster support disabled\r\n"
NO_SENTINEL = b"-ERR unknown command 'SENTINEL', with args beginning with: 'MASTERS' \r\n"
NO_MAINTENANCE = b"-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n"
NO_AUTH = b"-NOAUTH Authentication required.\r\n"
HELLO_NO_AUTH = (
    b"-NOAUTH HELLO must be called with the client already authenticated, otherwise the "
    b"HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and "
    b"select the RESP protocol version at the same time\r\n")
WRONG_PASSWORD = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
VERSION = rb"\d+\.\d+\.\d+" if support.lacks("redis-version-7.2.4") else rb"7\.2\.4"


def bulk(data):
    data = to_bytes(data)
    return b"$%d\r\n%s\r\n" % (len(data), data)


def hello(protocol):
    """The reply to HELLO: only the version's digits and the connection id vary."""
    aggregate = {2: b"*14\r\n", 3: b"%7\r\n"}[protocol]
    fixed = re.escape(aggregate + bulk("server") + bulk("redis") + bulk("version"))
    rest = re.escape(bulk("mode") + bulk("standalone") + bulk("role") + bulk("master")
                     + bulk("modules") + b"*0\r\n")
    return re.compile(fixed + rb"\$\d+\r\n" + VERSION + rb"\r\n"
                      + re.escape(bulk("proto")) + rb":%d\r\n" % protocol
                      + re.escape(bulk("id")) + rb":[1-9]\d*\r\n" + rest)


def config(protocol, name, value):
    """The reply to CONFIG GET of one parameter: an array, or a map on RESP3."""
    aggregate = {2: b"*2\r\n", 3: b"%1\r\n"}[protocol]
    return aggregate + bulk(name) + bulk(value)


class Info:
    """An INFO reply in the framing of `protocol`, with fields that match the given patterns."""

    def __init__(self, protocol, **fields):
        self.frame = {2: rb"\$(\d+)\r\n(.*)\r\n", 3: rb"=(\d+)\r\ntxt:(.*)\r\n"}[protocol]
        self.header = {2: 0, 3: len("txt:")}[protocol]
        self.fields = fields

    def fullmatch(self, raw):
        match = re.fullmatch(self.frame, raw, re.DOTALL)
        if not match or int(match[1]) != len(match[2]) + self.header:
            return False
        fields = support.parse_info(match[2])
        return all(re.fullmatch(pattern, fields.get(name, ""))
                   for name, pattern in self.fields.items())

    def __repr__(self):
        return f"INFO with {self.fields}"


def info_replication(protocol):
    return Info(protocol, role="master", connected_slaves="0", master_replid="[0-9a-f]{40}")


def info_server(protocol):
    return Info(protocol, redis_version=VERSION.decode(), redis_mode="standalone",
                run_id="[0-9a-f]{40}", tcp_port=r"\d+", uptime_in_seconds=r"\d+")


def setinfo(name, value):
    """CLIENT SETINFO with its reply: OK, or the error of a stand-in from before 7.2."""
    unknown = b"-ERR unknown subcommand 'SETINFO'. Try CLIENT HELP.\r\n"
    return (("CLIENT", "SETINFO", name, value), unknown if support.lacks("client-setinfo") else OK)


def stackexchange_discovery(protocol):
    """What StackExchange.Redis asks on its interactive connection, up to the tracer."""
    null = {2: NULL2, 3: NULL3}[protocol]
    return (
        (("CLIENT", "ID"), INTEGER),
        (("CONFIG", "GET", "timeout"), config(protocol, "timeout", "0")),
        (("CONFIG", "GET", "replica-read-only"), config(protocol, "replica-read-only", "yes")),
        (("CONFIG", "GET", "databases"), config(protocol, "databases", "16")),
        (("SENTINEL", "MASTERS"), NO_SENTINEL),
        (("INFO", "replication"), info_replication(protocol)),
        (("INFO", "server"), info_server(protocol)),
        (("CLUSTER", "NODES"), STANDALONE),
        (("GET", "__Booksleeve_TieBreak"), null),
        (("ECHO", TRACER), bulk(TRACER)),
    )


class Replay(ServerTestCase):
    """Sends a handshake and compares its replies."""

    def replay(self, *steps):
        """Sends the commands of `steps` and compares each reply with what stands beside it.

        An expected reply is exact bytes, or anything with a fullmatch() where ids and times vary.
        Returns the last connection used, still open.
        """
        request = b"".join(encode(*command) for command, _ in steps)
        for how, pieces in (("in one write", [request]),
                            ("byte by byte", [bytes((byte,)) for byte in request])):
            connection = self.connect()
            for piece in pieces:
                connection.write(piece)
            for command, expected in steps:
                with self.subTest(command=command, sent=how):
                    raw = connection.read_raw()
                    if isinstance(expected, bytes):
                        self.assertEqual(raw, expected)
                    else:
                        self.assertTrue(expected.fullmatch(raw), f"{expected!r} for {raw!r}")
        return connection


class Handshakes(Replay):
    """A server without a password, as most development machines have it."""

    def test_stackexchange_2_on_resp2(self):
        self.replay((("CLIENT", "SETNAME", "web1(SE.Redis-v2.13.23)"), OK),
                    setinfo("lib-name", "SE.Redis"),
                    setinfo("lib-ver", "2.13.23"),
                    *stackexchange_discovery(2))

    def test_stackexchange_2_on_resp3(self):
        self.replay((("HELLO", "3", "SETNAME", "web1(SE.Redis-v2.13.23)"), hello(3)),
                    setinfo("lib-name", "SE.Redis"),
                    setinfo("lib-ver", "2.13.23"),
                    *stackexchange_discovery(3))

    def test_stackexchange_3_on_resp3(self):
        self.replay((("HELLO", "3"), hello(3)),
                    (("CLIENT", "SETNAME", "web1(SE.Redis-v3.4.35)"), OK),
                    setinfo("lib-name", "SE.Redis"),
                    setinfo("lib-ver", "3.4.35"),
                    *stackexchange_discovery(3),
                    setinfo("lib-name", "SE.Redis-aspnet-DC"))

    def test_stackexchange_subscriber_on_resp2(self):
        channel = "__Booksleeve_MasterChanged"
        self.replay((("CLIENT", "SETNAME", "web1(SE.Redis-v2.13.23)"), OK),
                    (("ECHO", TRACER), bulk(TRACER)),
                    (("SUBSCRIBE", channel),
                     b"*3\r\n" + bulk("subscribe") + bulk(channel) + b":1\r\n"),
                    (("PING",), b"*2\r\n" + bulk("pong") + bulk("")))

    def test_stackexchange_subscriber_on_resp3(self):
        channel = "__Booksleeve_MasterChanged"
        self.replay((("HELLO", "3"), hello(3)),
                    (("ECHO", TRACER), bulk(TRACER)),
                    (("SUBSCRIBE", channel),
                     b">3\r\n" + bulk("subscribe") + bulk(channel) + b":1\r\n"),
                    (("PING",), PONG),
                    (("GET", "missing"), NULL3))

    def test_stackexchange_keep_alive_and_quit(self):
        connection = self.replay((("PING",), PONG),
                                 (("INFO", "replication"), info_replication(2)),
                                 (("QUIT",), OK))
        self.assertTrue(connection.at_end())

    def test_stackexchange_sees_one_run_id_for_the_life_of_the_process(self):
        first = self.server.info("server")["run_id"]
        self.assertEqual(self.server.info("server")["run_id"], first)
        self.server.restart()
        self.assertNotEqual(self.server.info("server")["run_id"], first)

    def test_redis_py_8(self):
        self.replay((("HELLO", "3"), hello(3)),
                    (("CLIENT", "MAINT_NOTIFICATIONS", "ON", "moving-endpoint-type", "internal-ip"),
                     NO_MAINTENANCE),
                    (("CLIENT", "SETNAME", "worker"), OK),
                    setinfo("LIB-NAME", "redis-py"),
                    setinfo("LIB-VER", "8.0.0"),
                    (("SELECT", "1"), OK))

    def test_redis_py_on_resp2(self):
        self.replay((("CLIENT", "SETNAME", "worker"), OK),
                    setinfo("LIB-NAME", "redis-py(celery)"),
                    setinfo("LIB-VER", "5.0.8"),
                    (("SELECT", "0"), OK))

    def test_ioredis_6(self):
        self.replay((("hello", "3"), hello(3)),
                    (("client", "setname", "queue"), OK),
                    setinfo("LIB-NAME", "ioredis"),
                    setinfo("LIB-VER", "6.0.0"),
                    (("info",), Info(3, loading="0", redis_version=VERSION.decode())))

    def test_ioredis_5(self):
        self.replay((("client", "setname", "queue"), OK),
                    (("info",), Info(2, loading="0", maxmemory_policy="noeviction")))

    def test_node_redis_6(self):
        self.replay((("HELLO", "3", "SETNAME", "web"), hello(3)),
                    (("SELECT", "2"), OK),
                    setinfo("LIB-NAME", "node-redis"),
                    setinfo("LIB-VER", "6.3.1"),
                    (("CLIENT", "MAINT_NOTIFICATIONS", "ON"), NO_MAINTENANCE))

    def test_go_redis_9(self):
        self.replay((("hello", "3", "setname", "api"), hello(3)),
                    (("select", "3"), OK),
                    (("readonly",), OK_OR_ERROR),  # Redis needs a cluster for it
                    setinfo("LIB-NAME", "go-redis(,go1.24.2)"),
                    setinfo("LIB-VER", "9.8.0"))

    def test_lettuce(self):
        self.replay((("HELLO", "3"), hello(3)),
                    (("SELECT", "0"), OK),
                    setinfo("lib-name", "Lettuce"),
                    setinfo("lib-ver", "6.8.0.RELEASE/2b7a5f1"),
                    (("CLIENT", "MAINT_NOTIFICATIONS", "ON", "moving-endpoint-type", "none"),
                     NO_MAINTENANCE),
                    (("PING",), PONG))

    def test_jedis_5(self):
        self.replay((("SELECT", "0"), OK),
                    (("CLIENT", "SETNAME", "pool-1"), OK),
                    setinfo("LIB-NAME", "jedis"),
                    setinfo("LIB-VER", "5.2.0"))

    def test_redis_cli(self):
        self.replay((("HELLO", "3"), hello(3)), (("HELLO", "2"), hello(2)))

    def test_health_check(self):
        self.replay((("PING",), PONG), (("PING", "alive"), bulk("alive")))

    def test_celery_unsubscribes_without_having_subscribed(self):
        self.requires("unsubscribe-when-idle")
        self.replay((("UNSUBSCRIBE", "news"),
                     b"*3\r\n" + bulk("unsubscribe") + bulk("news") + b":0\r\n"),
                    (("UNSUBSCRIBE",), b"*3\r\n" + bulk("unsubscribe") + b"$-1\r\n:0\r\n"),
                    (("GET", "k"), NULL2))

    def test_hello_refusals_leave_the_connection_on_resp2(self):
        self.replay((("HELLO", "4"), b"-NOPROTO unsupported protocol version\r\n"),
                    (("HELLO", "1"), b"-NOPROTO unsupported protocol version\r\n"),
                    (("HELLO", "three"),
                     b"-ERR Protocol version is not an integer or out of range\r\n"),
                    (("HELLO", "3", "FAST"), b"-ERR Syntax error in HELLO option 'FAST'\r\n"),
                    (("HELLO", "3", "SETNAME", "a b"),
                     b"-ERR Client names cannot contain spaces, newlines or special characters."
                     b"\r\n"),
                    (("GET", "k"), NULL2))

    def test_a_bare_hello_keeps_the_protocol(self):
        self.replay((("HELLO",), hello(2)), (("HELLO", "3"), hello(3)), (("HELLO",), hello(3)))

    def test_client_names_and_library_show_up_in_client_info(self):
        self.requires("client-setinfo")
        connection = self.replay((("CLIENT", "SETNAME", "web1"), OK),
                                 setinfo("lib-name", "SE.Redis"),
                                 setinfo("lib-ver", "3.4.35"))
        line = connection("CLIENT", "INFO").decode()
        self.assertIn(" name=web1 ", line)
        self.assertIn(" lib-name=SE.Redis lib-ver=3.4.35", line)
        self.assertIn(" resp=2 ", line)


class HandshakesWithPassword(Replay):
    """The same with requirepass: every client authenticates in its own way."""

    OPTIONS = ("--requirepass", PASSWORD)

    def test_stackexchange_2_on_resp2(self):
        self.replay((("AUTH", PASSWORD), OK),
                    (("CLIENT", "SETNAME", "web1(SE.Redis-v2.13.23)"), OK),
                    setinfo("lib-name", "SE.Redis"),
                    setinfo("lib-ver", "2.13.23"),
                    *stackexchange_discovery(2))

    def test_stackexchange_2_on_resp3(self):
        self.replay((("HELLO", "3", "AUTH", "default", PASSWORD, "SETNAME", "web1"), hello(3)),
                    *stackexchange_discovery(3))

    def test_stackexchange_3_on_resp3(self):
        self.replay((("AUTH", "default", PASSWORD), OK),
                    (("HELLO", "3"), hello(3)),
                    *stackexchange_discovery(3))

    def test_stackexchange_with_the_wrong_password(self):
        """Everything up to the tracer is refused, the connection stays."""
        self.replay((("AUTH", "wrong"), WRONG_PASSWORD),
                    (("CLIENT", "SETNAME", "web1"), NO_AUTH),
                    (("CLIENT", "ID"), NO_AUTH),
                    (("SENTINEL", "MASTERS"), NO_SENTINEL),
                    (("INFO", "server"), NO_AUTH),
                    (("ECHO", TRACER), NO_AUTH),
                    (("AUTH", PASSWORD), OK),
                    (("ECHO", TRACER), bulk(TRACER)))

    def test_redis_py_8(self):
        self.replay((("HELLO", "3", "AUTH", "default", PASSWORD), hello(3)),
                    (("CLIENT", "MAINT_NOTIFICATIONS", "ON"), NO_MAINTENANCE),
                    setinfo("LIB-NAME", "redis-py"))

    def test_ioredis_and_jedis(self):
        self.replay((("auth", PASSWORD), OK),
                    (("hello", "3"), hello(3)),
                    (("info",), Info(3, loading="0")))

    def test_node_redis_and_go_redis(self):
        self.replay((("HELLO", "3", "AUTH", "default", PASSWORD, "SETNAME", "web"), hello(3)),
                    (("SELECT", "2"), OK))

    def test_hello_without_a_password_is_refused(self):
        self.requires("hello-texts-of-7.2")
        self.requires("pipelined-auth-errors")
        self.replay((("HELLO", "3"), HELLO_NO_AUTH),
                    (("HELLO", "3", "AUTH", "default", "wrong"), WRONG_PASSWORD),
                    (("HELLO", "3", "AUTH", "nobody", PASSWORD), WRONG_PASSWORD),
                    (("PING",), NO_AUTH),
                    (("QUIT",), OK))


if __name__ == "__main__":
    support.main()

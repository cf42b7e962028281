#!/usr/bin/env python3
"""TLS: versions, big and slow traffic, tools, bad input, floods of handshakes."""

import concurrent.futures
import contextlib
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest

import support
from resp import OK, PONG, encode
from tls_case import TlsConnection, TlsTestCase, main, openssl, pki

try:
    import redis
except ImportError:
    redis = None


ALERT, HANDSHAKE = 21, 22  # types of records
CLIENT_HELLO, SERVER_HELLO = 1, 2
FATAL, HANDSHAKE_FAILURE, PROTOCOL_VERSION = 2, 40, 70
SSL_3, TLS_1_0, TLS_1_1, TLS_1_2 = 0x0300, 0x0301, 0x0302, 0x0303
STRONG_SUITES = [0xC02B, 0xC02F, 0xC02C, 0xC030]  # ECDHE with AES-GCM
WEAK_SUITES = [
    0x0000, 0x0001, 0x0002, 0x003B,          # no encryption
    0x0003, 0x0006, 0x0008, 0x0014,          # for export
    0x0004, 0x0005, 0xC007, 0xC011,          # RC4
    0x0009, 0x0015,                          # DES
    0x000A, 0x0016, 0xC008, 0xC012,          # 3DES
    0x0018, 0x001B, 0x0034, 0x00A6, 0xC018,  # nobody proves who they are
]
ALL_SUITES = STRONG_SUITES + [0xC009, 0xC013, 0xC00A, 0xC014, 0x0039, 0x0033, 0x0035, 0x002F, *WEAK_SUITES]


def with_length(size, data):
    return len(data).to_bytes(size, "big") + data


def client_hello(version, suites, compression=b"\x00"):
    """A record with a ClientHello as TLS 1.2 and before spell it."""
    def numbers(values):
        return b"".join(value.to_bytes(2, "big") for value in values)
    extensions = b"" if version == SSL_3 else with_length(2, b"".join((
        numbers([10]) + with_length(2, with_length(2, numbers([23, 24, 25]))),  # curves
        numbers([11]) + with_length(2, b"\x01\x00"),  # points uncompressed
        numbers([13]) + with_length(2, with_length(2, numbers([0x0403, 0x0804, 0x0401, 0x0203, 0x0201]))),
    )))
    body = (numbers([version]) + os.urandom(32) + b"\x00" + with_length(2, numbers(suites))
            + with_length(1, compression) + extensions)
    handshake = bytes((CLIENT_HELLO,)) + with_length(3, body)
    return bytes((HANDSHAKE,)) + numbers([min(version, TLS_1_0)]) + with_length(2, handshake)


class Requests(TlsTestCase):
    def test_requests_are_answered_with_both_versions_of_tls(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.server.context()
            context.minimum_version = context.maximum_version = version
            client = self.tls(context=context)
            self.assertEqual(client("SET", "k", "v"), OK)
            self.assertEqual(client("GET", "k"), b"v")

    def test_a_request_that_comes_byte_by_byte(self):
        client = self.tls()
        for byte in encode("SET", "slow", "value") + encode("GET", "slow"):
            client.write(bytes([byte]))
        self.assertEqual([client.read(), client.read()], [OK, b"value"])

    def test_a_record_that_comes_byte_by_byte(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        plain = socket.create_connection(("127.0.0.1", self.server.tls_port), 20)
        self.addCleanup(plain.close)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = self.server.context().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")

        def pump(action):
            while True:
                try:
                    result = action()
                    plain.sendall(outgoing.read())
                    return result
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    incoming.write(plain.recv(65536))

        pump(client.do_handshake)
        client.write(encode("ECHO", "x" * 300))
        for byte in outgoing.read():
            plain.sendall(bytes([byte]))
        self.assertEqual(pump(lambda: client.read(1000)), b"$300\r\n" + b"x" * 300 + b"\r\n")

    def test_big_pipelines(self):
        client = self.tls()
        count = 20_000
        replies = client.pipeline(("SET", f"k{i}", f"value-{i}") for i in range(count))
        self.assertEqual(replies, [OK] * count)
        replies = client.pipeline(("GET", f"k{i}") for i in range(count))
        self.assertEqual(replies, [f"value-{i}".encode() for i in range(count)])

    def test_values_of_100_mb(self):
        client = self.tls(timeout=50)
        value = bytes(range(256)) * (400 * 1024)
        self.assertEqual(client("SET", "big", value), OK)
        self.assertEqual(client("STRLEN", "big"), len(value))
        self.assertTrue(client("GET", "big") == value)

    def test_a_slow_reader_gets_everything_and_holds_nobody_up(self):
        value = b"x" * 200_000
        client = self.tls()
        self.assertEqual(client("SET", "v", value), OK)
        client.write(encode("GET", "v") * 200)
        other = self.tls()
        for _ in range(20):
            self.assertEqual(other("PING"), PONG)
            time.sleep(0.01)
        for _ in range(200):
            self.assertTrue(client.read() == value)
        self.assertEqual(client("PING"), PONG)

    def test_a_blocked_client_is_woken_and_goes_on_with_what_it_has_sent(self):
        client, other = self.tls(), self.tls()
        client.write(encode("BLPOP", "list", 0) + encode("ECHO", "y" * 200_000) + encode("PING"))
        time.sleep(0.1)
        other("RPUSH", "list", "element")
        self.assertEqual(client.read(), [b"list", b"element"])
        self.assertEqual(client.read(), b"y" * 200_000)
        self.assertEqual(client.read(), PONG)

    def test_messages_to_subscribers(self):
        subscriber, publisher = self.tls(), self.tls()
        self.assertEqual(subscriber("SUBSCRIBE", "news"), [b"subscribe", b"news", 1])
        for i in range(1000):
            publisher.send("PUBLISH", "news", i)
        for i in range(1000):
            self.assertEqual(subscriber.read(), [b"message", b"news", str(i).encode()])

    def test_who_closes_its_side_still_gets_its_answers(self):
        client = self.tls()
        client("SET", "v", "x" * 3_000_000)
        client.write(encode("GET", "v"))
        self.assertEqual(len(client.read()), 3_000_000)
        client.socket.unwrap()  # waits for the server's own last words

    def test_quit_ends_with_close_notify(self):
        client = self.tls()
        self.assertEqual(client("QUIT"), OK)
        self.assertEqual(client.socket.recv(1), b"")  # not an error: the end is authentic

    def test_ten_thousand_keys_through_many_connections(self):
        clients = [self.tls() for _ in range(20)]
        for i in range(10_000):
            clients[i % 20].send("SET", f"k{i}", i)
        for i in range(10_000):
            self.assertEqual(clients[i % 20].read(), OK)
        self.assertEqual(self.connect()("DBSIZE"), 10_000)

    def test_info_and_client_list(self):
        client = self.tls()
        client("CLIENT", "SETNAME", "over-tls")
        info = self.server.info("server")
        self.assertEqual(int(info["tcp_port"]), self.server.port)
        if not support.lacks("disconnection-counters"):
            self.assertIn(f"name=tls,bind=127.0.0.1,port={self.server.tls_port}", info["listener1"])
        self.assertIn(b"name=over-tls", client("CLIENT", "LIST"))
        self.assertEqual(client("CONFIG", "GET", "tls-port"),
                         [b"tls-port", str(self.server.tls_port).encode()])

    def test_sessions_are_resumed(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.server.context()
            context.minimum_version = context.maximum_version = version
            first = self.tls(context=context)
            self.assertEqual(first("PING"), PONG)  # the tickets of TLS 1.3 come behind the handshake
            again = self.tls(context=context, session=first.socket.session)
            self.assertEqual(again("PING"), PONG)
            self.assertTrue(again.socket.session_reused, version)

    def test_renegotiation_is_refused(self):
        process = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.tls_port}", "-tls1_2"],
            input=b"R\n", capture_output=True, timeout=20, check=False)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn(b"no renegotiation", process.stderr)


class Tools(TlsTestCase):
    def test_redis_cli(self):
        def cli(*arguments):
            return subprocess.run(
                ["redis-cli", "--tls", "--cacert", pki().ca.certificate, "-p",
                 str(self.server.tls_port), *arguments],
                capture_output=True, text=True, timeout=20, check=True).stdout.strip()

        self.assertEqual(cli("SET", "k", "v"), "OK")
        self.assertEqual(cli("GET", "k"), "v")

    @unittest.skipIf(redis is None, "python3-redis is not there")
    def test_redis_py(self):
        client = redis.Redis(port=self.server.tls_port, ssl=True,
                             ssl_ca_certs=str(pki().ca.certificate))
        self.addCleanup(client.close)
        with client.pipeline() as pipeline:
            for i in range(1000):
                pipeline.incr("counter")
            self.assertEqual(pipeline.execute(), list(range(1, 1001)))

    def test_health_check(self):
        self.requires("health-check")
        for port in (self.server.port, self.server.tls_port):
            check = subprocess.run([self.server.binary, "--check-health", f"127.0.0.1:{port}"],
                                   capture_output=True, text=True, timeout=20, check=False)
            self.assertEqual((check.returncode, check.stderr), (0, ""))

    def test_old_protocols_are_refused(self):
        for version in ("-tls1", "-tls1_1"):
            process = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.tls_port}", version,
                 "-cipher", "ALL:@SECLEVEL=0"],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
            self.assertIn(b"protocol version", process.stderr, version)

    def answer_to(self, hello):
        """The first record that the server sends: its type, and its content."""
        with socket.create_connection(("127.0.0.1", self.server.tls_port), timeout=20) as client:
            client.sendall(hello)
            header = client.recv(5, socket.MSG_WAITALL)
            return header[0], client.recv(int.from_bytes(header[3:5], "big"), socket.MSG_WAITALL)

    def test_a_hello_that_knows_only_old_protocols_gets_an_alert(self):
        # By hand: openssl itself no longer offers these.
        for version in (SSL_3, TLS_1_0, TLS_1_1):
            kind, content = self.answer_to(client_hello(version, ALL_SUITES))
            self.assertEqual((kind, content[0]), (ALERT, FATAL), version)
            # Of SSL 3 an OpenSSL that was built without it says the latter.
            self.assertIn(content[1], (PROTOCOL_VERSION, HANDSHAKE_FAILURE), version)

    def test_a_hello_that_knows_only_weak_ciphers_gets_an_alert(self):
        for suite in WEAK_SUITES:
            kind, content = self.answer_to(client_hello(TLS_1_2, [suite]))
            self.assertEqual((kind, content), (ALERT, bytes((FATAL, HANDSHAKE_FAILURE))), hex(suite))

    def test_compression_is_not_agreed_to(self):
        kind, content = self.answer_to(client_hello(TLS_1_2, STRONG_SUITES, compression=b"\x01\x00"))
        self.assertEqual((kind, content[0]), (HANDSHAKE, SERVER_HELLO))
        # Behind the header, version and random: the session's id, the cipher, the compression.
        session = content[4 + 2 + 32]
        self.assertEqual(content[4 + 2 + 32 + 1 + session + 2], 0)

    def test_weak_ciphers_are_refused(self):
        for cipher in ("aNULL", "eNULL", "RC4", "3DES", "EXPORT"):
            process = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.tls_port}", "-tls1_2",
                 "-cipher", f"{cipher}:@SECLEVEL=0"],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
            self.assertNotEqual(process.returncode, 0, cipher)


class BadInput(TlsTestCase):
    def plain_socket(self, port=None):
        connection = socket.create_connection(("127.0.0.1", port or self.server.tls_port), 20)
        self.addCleanup(connection.close)
        return connection

    def still_serves(self):
        with self.server.tls() as client:
            self.assertEqual(client("PING"), PONG)

    def ends(self, connection):
        """Reads to the end, which may be a reset; returns what came."""
        received = b""
        with contextlib.suppress(ConnectionError):
            while data := connection.recv(65536):
                received += data
        return received

    def test_a_client_without_tls_is_told(self):
        connection = self.plain_socket()
        connection.sendall(encode("PING"))
        answer = self.ends(connection)
        if not support.lacks("tls-hints"):
            self.assertTrue(answer.startswith(b"-ERR this port speaks TLS"), answer)
        self.still_serves()

    def test_a_client_with_tls_at_the_plain_port(self):
        self.requires("tls-hints")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            TlsConnection(self.server.port, self.server.context(), 10)
        self.assertEqual(self.connect()("PING"), PONG)

    def test_garbage(self):
        hello = struct.pack(">BHH", 0x16, 0x0301, 16384)
        for junk in (b"\x16", b"\x16\x03\x01", hello + b"\xff" * 16384, b"\x16" * 50_000,
                     struct.pack(">BHH", 0x16, 0x0303, 0) * 10_000,
                     b"\x00" * 10_000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
            connection = self.plain_socket()
            with contextlib.suppress(OSError):
                connection.sendall(junk)
                connection.shutdown(socket.SHUT_WR)
            self.ends(connection)
            self.still_serves()

    def test_garbage_after_the_handshake_ends_the_connection_only(self):
        client = self.tls()
        other = self.tls()
        self.assertEqual(client("PING"), PONG)
        raw = socket.socket(fileno=client.socket.detach())
        raw.settimeout(20)
        raw.sendall(b"\x17\x03\x03\x00\x20" + b"\x00" * 32)
        self.ends(raw)
        raw.close()
        self.assertEqual(other("PING"), PONG)

    def test_connections_that_vanish(self):
        for _ in range(50):
            connection = self.plain_socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            client = self.server.tls()
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        self.still_serves()

    def test_half_a_handshake_is_cut_in_time(self):
        self.requires("handshake-deadline")
        silent = [self.plain_socket() for _ in range(20)]
        halves = [self.plain_socket() for _ in range(20)]
        for connection in halves:
            connection.sendall(struct.pack(">BHHB", 0x16, 0x0301, 512, 1))
        self.still_serves()
        begun = time.monotonic()
        for connection in silent + halves:
            self.ends(connection)
        self.assertLess(time.monotonic() - begun, 18)
        self.still_serves()

    def test_a_flood_of_failures_leaves_few_lines_in_the_log(self):
        self.requires("handshake-deadline")
        for _ in range(300):
            with self.plain_socket() as connection:
                connection.sendall(b"\x16\x03\x01\x00\x02\x00\x00")
                connection.shutdown(socket.SHUT_WR)
                self.ends(connection)
        log = self.server.log.read_text(errors="replace")
        self.assertLess(log.count("TLS handshake with"), 100)

    def test_more_half_handshakes_than_there_are_places(self):
        self.requires("handshake-deadline")
        silent = [self.plain_socket() for _ in range(900)]
        for connection in silent[:600]:
            connection.sendall(struct.pack(">BHHB", 0x16, 0x0301, 512, 1))
        more = [self.plain_socket() for _ in range(300)]
        begun = time.monotonic()
        self.still_serves()
        self.assertLess(time.monotonic() - begun, 10)
        for connection in silent + more:
            connection.close()


class Floods(TlsTestCase):
    def test_a_client_is_served_while_200_others_shake_hands(self):
        served = []
        stop = threading.Event()

        def measure():
            with self.server.connect() as client:
                while not stop.is_set():
                    begun = time.perf_counter()
                    assert client("PING") == PONG
                    served.append(time.perf_counter() - begun)

        measuring = threading.Thread(target=measure)
        measuring.start()
        try:
            with concurrent.futures.ThreadPoolExecutor(50) as pool:
                clients = list(pool.map(lambda _: self.server.tls(timeout=50), range(200)))
        finally:
            stop.set()
            measuring.join()
        for client in clients:
            self.assertEqual(client("PING"), PONG)
            client.close()
        served.sort()
        # The test's own threads take the same CPUs; a loop that did 200 handshakes in a row would
        # be silent for much longer.
        self.assertGreater(len(served), 50)
        self.assertLess(served[len(served) // 2], 0.1)


if __name__ == "__main__":
    main()

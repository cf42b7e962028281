#!/usr/bin/env python3
"""TLS: certificates of clients, versions, big and slow traffic, bad input, floods of handshakes,
certificates that change. Every certificate is made by the `openssl` program while the test runs."""

import concurrent.futures
import contextlib
import functools
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import support
from resp import Closed, Connection, Error, OK, PONG, encode

try:
    import redis
except ImportError:
    redis = None


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        self.certificate = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.key, "-out", self.certificate, "-subj", f"/CN={name}", "-days", 2)

    def issue(self, name, kind="ec", days=2, passphrase=None):
        """A certificate and its key, as two paths."""
        algorithm = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["rsa:2048"]
        locked = ["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        openssl("req", "-newkey", *algorithm, *locked, "-keyout", key, "-out", request,
                "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", days, "-copy_extensions", "copy", "-out", certificate)
        return certificate, key


@functools.cache
def pki():
    return Pki()


class Pki:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spinel-tls-"))
        self.ca = Authority(self.folder, "ca")
        self.other_ca = Authority(self.folder, "other-ca")
        self.server = self.ca.issue("server", kind="rsa")
        self.next_server = self.ca.issue("next-server")
        self.locked_server = self.ca.issue("locked-server", passphrase="open sesame")
        self.client = self.ca.issue("client")
        self.stranger = self.other_ca.issue("stranger")
        self.expired = self.ca.issue("expired", days=-1)


class TlsServer(support.Server):
    """A server with a TLS port beside the plain one."""

    def __init__(self, *options, pair=None, authority=True):
        certificate, key = pair or pki().server
        self.tls_port = support.free_port()
        super().__init__("--tls-port", self.tls_port, "--tls-cert-file", certificate,
                         "--tls-key-file", key,
                         *(["--tls-ca-cert-file", pki().ca.certificate] if authority else []),
                         *options)

    def context(self, pair=None, verify=True):
        context = ssl.create_default_context(cafile=str(pki().ca.certificate))
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if pair:
            context.load_cert_chain(*map(str, pair))
        return context

    def tls(self, pair=None, context=None, timeout=20.0, session=None):
        return TlsConnection(self.tls_port, context or self.context(pair), timeout, session)


class TlsConnection(Connection):
    def __init__(self, port, context, timeout, session=None):
        super().__init__(("127.0.0.1", port), timeout)
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1",
                                              session=session)
        except BaseException:
            self.socket.close()
            raise

    def serial(self):
        return self.socket.getpeercert()["serialNumber"]


class TlsTestCase(support.ServerTestCase):
    OPTIONS = ("--tls-auth-clients", "no")

    @classmethod
    def setUpClass(cls):
        cls.server = TlsServer(*cls.OPTIONS).start()

    def tls(self, **options):
        connection = self.server.tls(**options)
        self.addCleanup(connection.close)
        return connection


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

    def test_weak_ciphers_are_refused(self):
        for cipher in ("aNULL", "eNULL", "RC4", "3DES", "EXPORT"):
            process = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.tls_port}", "-tls1_2",
                 "-cipher", f"{cipher}:@SECLEVEL=0"],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
            self.assertNotEqual(process.returncode, 0, cipher)


class Clients(unittest.TestCase):
    """Who has to show a certificate."""

    def served(self, server, pair):
        try:
            with server.tls(pair=pair) as client:
                return client("PING") == PONG
        except (ssl.SSLError, Closed, ConnectionError):
            return False

    def check(self, setting, nobody):
        with TlsServer("--tls-auth-clients", setting) as server:
            self.assertTrue(self.served(server, pki().client))
            self.assertEqual(self.served(server, None), nobody)
            strangers = setting == "no"
            self.assertEqual(self.served(server, pki().stranger), strangers)
            self.assertEqual(self.served(server, pki().expired), strangers)
            with server.connect() as plain:  # a change at run time
                self.assertEqual(plain("CONFIG", "SET", "tls-auth-clients", "no"), OK)
            self.assertTrue(self.served(server, pki().stranger))

    def test_yes(self):
        self.check("yes", nobody=False)

    def test_optional(self):
        self.check("optional", nobody=True)

    def test_no(self):
        self.check("no", nobody=True)

    def test_authorities_in_a_folder(self):
        folder = pki().folder / "authorities"
        folder.mkdir()
        shutil.copy(pki().ca.certificate, folder)
        openssl("rehash", folder)
        with TlsServer("--tls-ca-cert-dir", folder, authority=False) as server:
            self.assertTrue(self.served(server, pki().client))
            self.assertFalse(self.served(server, pki().stranger))

    def test_a_client_that_trusts_another_authority_does_not_connect(self):
        with TlsServer("--tls-auth-clients", "no") as server:
            context = ssl.create_default_context(cafile=str(pki().other_ca.certificate))
            with self.assertRaises(ssl.SSLCertVerificationError):
                server.tls(context=context)
            self.assertTrue(self.served(server, None))

    def test_versions_and_ciphers_can_be_chosen(self):
        with TlsServer("--tls-auth-clients", "no", "--tls-protocols", "TLSv1.2",
                       "--tls-ciphers", "ECDHE-RSA-AES256-GCM-SHA384") as server:
            with server.tls() as client:
                self.assertEqual(client.socket.cipher()[:2],
                                 ("ECDHE-RSA-AES256-GCM-SHA384", "TLSv1.2"))
            with server.connect() as plain:
                self.assertEqual(plain("CONFIG", "SET", "tls-protocols", "TLSv1.3",
                                       "tls-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"), OK)
                for name, value in (("tls-protocols", "SSLv9"), ("tls-ciphers", "NONSENSE"),
                                    ("tls-ciphersuites", "NONSENSE")):
                    self.assertIsInstance(plain("CONFIG", "SET", name, value), Error)
            with server.tls() as client:
                self.assertEqual(client.socket.cipher()[:2],
                                 ("TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3"))

    def test_sessions_can_be_forbidden(self):
        if support.lacks("tls-without-tickets"):
            self.skipTest("it gives tickets all the same")
        with TlsServer("--tls-auth-clients", "no", "--tls-session-caching", "no") as server:
            context = server.context()
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            with server.tls(context=context) as first:
                session = first.socket.session
            with server.tls(context=context, session=session) as again:
                self.assertFalse(again.socket.session_reused)

    def test_a_key_with_a_passphrase_and_parameters_for_diffie_hellman(self):
        parameters = pki().folder / "dh.pem"
        openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048",
                "-out", parameters)
        with TlsServer("--tls-auth-clients", "no", "--tls-key-file-pass", "open sesame",
                       pair=pki().locked_server) as server:
            with server.tls() as client:
                self.assertEqual(client("PING"), PONG)
        with TlsServer("--tls-auth-clients", "no", "--tls-dh-params-file", parameters,
                       "--tls-protocols", "TLSv1.2", "--tls-ciphers",
                       "DHE-RSA-AES256-GCM-SHA384") as server:
            with server.tls() as client:
                self.assertEqual(client("PING"), PONG)

    def test_too_many_clients(self):
        with TlsServer("--tls-auth-clients", "no", "--maxclients", "5") as server:
            with server.connect() as admin:  # those who asked whether it is up have gone
                support.wait_until(lambda: admin("CLIENT", "LIST").count(b"id=") == 1, "an end")
                clients = [server.tls() for _ in range(4)]
                with self.assertRaises((ssl.SSLError, ConnectionError)):
                    server.tls()
            clients.pop().close()
            support.wait_until(lambda: self.served(server, None), "room for one more")
            for client in clients:
                client.close()


class OnlyTls(unittest.TestCase):
    def test_port_0_and_a_tls_port(self):
        class Server(TlsServer):
            def command_line(self):
                line = super().command_line()
                line[line.index("--port") + 1] = "0"
                return line

            def connect(self, protocol=2, timeout=10.0):
                return self.tls(timeout=timeout)

        with Server("--tls-auth-clients", "no") as server:
            info = server.info("server")
            self.assertEqual(int(info["tcp_port"]), server.tls_port)
            if not support.lacks("disconnection-counters"):
                self.assertTrue(info["listener0"].startswith("name=tls"), info["listener0"])
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", server.port), 5).close()
            if not support.lacks("health-check"):
                check = subprocess.run([server.binary, "--check-health",
                                        f"127.0.0.1:{server.tls_port}"], timeout=20, check=False)
                self.assertEqual(check.returncode, 0)

    def test_the_port_opens_moves_and_closes_at_run_time(self):
        certificate, key = pki().server
        first, second = support.free_port(), support.free_port()
        with support.Server() as server, server.connect() as client:
            self.assertIsInstance(client("CONFIG", "SET", "tls-port", first), Error)
            self.assertEqual(client("CONFIG", "SET", "tls-cert-file", certificate, "tls-key-file",
                                    key, "tls-auth-clients", "no", "tls-port", first), OK)
            context = ssl.create_default_context(cafile=str(pki().ca.certificate))
            old = TlsConnection(first, context, 20)
            self.assertEqual(client("CONFIG", "SET", "tls-port", second), OK)
            with TlsConnection(second, context, 20) as tls:
                self.assertEqual(tls("PING"), PONG)
            self.assertEqual(client("CONFIG", "SET", "tls-port", 0), OK)
            for port in (first, second):
                with self.assertRaises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port), 5).close()
            self.assertEqual(old("PING"), PONG)
            old.close()


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


class Reloading(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spinel-reload-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.pair = (self.folder / "cert.pem", self.folder / "key.pem")
        self.install(pki().server)
        self.server = TlsServer("--tls-auth-clients", "no", pair=self.pair).start()
        self.addCleanup(self.server.close)

    def install(self, pair):
        """Replaces both files as a renewal does: each is renamed into place."""
        for source, target in zip(pair, self.pair):
            fresh = target.with_suffix(".new")
            shutil.copy(source, fresh)
            fresh.rename(target)

    def serial(self):
        with self.server.tls() as client:
            return client.serial()

    def test_config_set_takes_a_pair_at_once_and_refuses_a_bad_one(self):
        with self.server.tls() as old, self.server.connect() as admin:
            before = old.serial()
            certificate, key = pki().next_server
            halves = (("tls-cert-file", certificate), ("tls-key-file", key))
            if support.lacks("tls-hints"):
                halves = ()  # a certificate and a key of different kinds are not compared
            for names in (*halves, ("tls-cert-file", "/nowhere.pem"), ("tls-key-file", certificate),
                          ("tls-cert-file", certificate, "tls-key-file", pki().client[1]),
                          ("tls-ca-cert-file", "/nowhere.pem")):
                answer = admin("CONFIG", "SET", *names)
                self.assertIsInstance(answer, Error, names)
                self.assertIn("Unable to update TLS configuration", answer.text)
                self.assertEqual(self.serial(), before)
                self.assertEqual(admin("CONFIG", "GET", "tls-cert-file")[1],
                                 str(self.pair[0]).encode())
            self.assertEqual(admin("CONFIG", "SET", "tls-cert-file", certificate, "tls-key-file",
                                   key), OK)
            self.assertNotEqual(self.serial(), before)
            self.assertEqual(old("PING"), PONG)

    def test_config_set_of_the_same_names_reads_the_files_again(self):
        before = self.serial()
        self.install(pki().next_server)
        with self.server.connect() as admin:
            self.assertEqual(admin("CONFIG", "SET", "tls-cert-file", self.pair[0]), OK)
        self.assertNotEqual(self.serial(), before)

    def test_files_that_change_are_noticed(self):
        if support.lacks("tls-auto-reload"):
            self.skipTest("it does not look at the files")
        with self.server.tls() as old:
            before = old.serial()
            stop = threading.Event()
            failures = []

            def work():
                while not stop.is_set():
                    if old("INCR", "n") == 0:
                        failures.append("wrong")

            worker = threading.Thread(target=work)
            worker.start()
            try:
                self.install(pki().next_server)
                support.wait_until(lambda: self.serial() != before, "the new certificate", 20)
                good = self.serial()
                self.pair[1].write_text("no key at all")
                support.wait_until(lambda: "are no good" in self.server.log.read_text(),
                                   "a line in the log", 20)
                self.assertEqual(self.serial(), good)
                self.install(pki().server)
                support.wait_until(lambda: self.serial() == before, "the first certificate", 20)
            finally:
                stop.set()
                worker.join()
            self.assertEqual(failures, [])


class Start(unittest.TestCase):
    """What is wrong with the files is said in one line, and the server does not start."""

    def refused(self, *options):
        server = TlsServer(*options)
        self.addCleanup(server.close)
        process = subprocess.run(server.command_line(), capture_output=True, text=True, timeout=20,
                                 check=False)
        self.assertEqual(process.returncode, 1)
        lines = process.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def setUp(self):
        if support.lacks("tls-hints"):
            self.skipTest("other texts")

    def test_files_that_are_missing_or_wrong(self):
        certificate, key = pki().server
        for options, option in ((("--tls-cert-file", "/nowhere.pem"), "tls-cert-file"),
                                (("--tls-key-file", "/nowhere.pem"), "tls-key-file"),
                                (("--tls-cert-file", ""), "--tls-cert-file"),
                                (("--tls-key-file", ""), "--tls-key-file"),
                                (("--tls-key-file", pki().client[1]), "is not the key of"),
                                (("--tls-cert-file", key), "tls-cert-file"),
                                (("--tls-key-file", certificate), "tls-key-file"),
                                (("--tls-key-file", pki().locked_server[1]), "tls-key-file-pass"),
                                (("--tls-ca-cert-file", "/nowhere.pem"), "tls-ca-cert-file"),
                                (("--tls-ca-cert-dir", "/nowhere"), "tls-ca-cert-dir"),
                                (("--tls-dh-params-file", key), "tls-dh-params-file"),
                                (("--tls-ca-cert-file", "", "--tls-auth-clients", "yes"),
                                 "tls-auth-clients"),
                                (("--tls-protocols", "SSLv2"), "tls-protocols"),
                                (("--tls-ciphers", "NONSENSE"), "tls-ciphers")):
            with self.subTest(options=options):
                line = self.refused("--tls-auth-clients", "no", *options)
                self.assertIn(option, line)
                self.assertIn("Remedy", line)

    def test_both_ports_the_same(self):
        server = TlsServer("--tls-auth-clients", "no")
        self.addCleanup(server.close)
        server.tls_port = server.port
        self.assertIn("both", self.refused("--tls-auth-clients", "no", "--port", 7999,
                                           "--tls-port", 7999))

    def test_without_a_tls_port_the_files_are_not_looked_at(self):
        with support.Server("--tls-ca-cert-file", "/nowhere.pem", "--tls-cert-file",
                            "/nowhere.pem") as server, server.connect() as client:
            self.assertEqual(client("PING"), PONG)


if __name__ == "__main__":
    try:
        support.main()
    finally:
        shutil.rmtree(pki().folder, ignore_errors=True)

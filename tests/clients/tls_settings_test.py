#!/usr/bin/env python3
"""TLS: certificates of clients, ports, versions and ciphers, files that change or are wrong."""

import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import support
from resp import Closed, Error, OK, PONG
from tls_case import TlsConnection, TlsServer, main, openssl, pki


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


class AspireServer(TlsServer):
    """Started as .NET Aspire's AddRedis does where there is a certificate for development."""

    PASSWORD = "p4ss word"

    def command_line(self):
        programs = self.directory / "bin"
        programs.mkdir(exist_ok=True)
        name = programs / "redis-server"
        name.unlink(missing_ok=True)
        name.symlink_to(self.binary)
        certificate, key = pki().server
        environment = [f"PATH={programs}:/usr/bin:/bin", f"REDIS_PASSWORD={self.PASSWORD}"]
        return ["/usr/bin/env", *environment,
                "/bin/bash", "-c",  # which is /bin/sh in the image: it runs the server in its place
                'redis-server --requirepass "$REDIS_PASSWORD" --save 60 1'
                f" --tls-port {self.tls_port} --port {self.port}"
                f" --tls-cert-file {certificate} --tls-key-file {key}"
                " --tls-auth-clients no"]


class Aspire(unittest.TestCase):
    def test_the_options_that_add_redis_passes(self):
        with AspireServer() as server:
            def cli(port, *arguments, password=server.PASSWORD):
                return subprocess.run(
                    ["redis-cli", "-p", str(port), "--no-auth-warning", "-a", password, *arguments],
                    capture_output=True, text=True, timeout=20, check=False).stdout.strip()

            tls = ("--tls", "--cacert", str(pki().ca.certificate))
            self.assertEqual(cli(server.tls_port, *tls, "SET", "k", "v"), "OK")
            self.assertEqual(cli(server.port, "GET", "k"), "v")
            self.assertIn("NOAUTH", cli(server.tls_port, *tls, "GET", "k", password="wrong"))
            with server.tls() as client:
                self.assertEqual(client("AUTH", server.PASSWORD), OK)
                self.assertEqual(client("CONFIG", "GET", "save"), [b"save", b"60 1"])
            self.assertEqual(server.stop(), 0)
            self.assertTrue((server.directory / "dump.rdb").exists())

    def test_an_authority_without_a_tls_port(self):
        options = ("--tls-ca-cert-file", str(pki().ca.certificate))
        with support.Server(*options) as server, server.connect() as client:
            self.assertEqual(client("PING"), PONG)


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
    main()

#!/usr/bin/env python3
"""What one client may take from the others: connections, buffers, time."""

import contextlib
import resource
import subprocess
import time

import support
from resp import OK, PONG, Closed, Connection, Error, encode
from support import Server, ServerTestCase

MEGABYTE = 1 << 20


class Limits(ServerTestCase):
    def configure(self, name, value):
        """CONFIG SET for the duration of one test."""
        admin = self.connect()
        before = admin("CONFIG", "GET", name)[1]
        self.assertEqual(admin("CONFIG", "SET", name, value), OK)
        self.addCleanup(self.restore, name, before)
        return admin

    def restore(self, name, value):
        with self.server.connect() as admin:
            self.assertEqual(admin("CONFIG", "SET", name, value), OK)

    def test_query_buffer_limit_closes_the_connection(self):
        admin = self.configure("client-query-buffer-limit", MEGABYTE)
        admin("CONFIG", "RESETSTAT")
        greedy = self.connect()
        with contextlib.suppress(ConnectionError):
            greedy.write(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % (8 * MEGABYTE))
            for _ in range(8):
                greedy.write(b"x" * MEGABYTE)
        self.assertTrue(greedy.at_end())
        self.assertEqual(admin("EXISTS", "k"), 0)
        if not support.lacks("disconnection-counters"):
            stats = self.server.info("stats")
            self.assertEqual(stats["client_query_buffer_limit_disconnections"], "1")

    def test_a_request_of_just_the_limit_is_too_much(self):
        """With its header a value of that size is more than the limit, however it is read."""
        admin = self.configure("client-query-buffer-limit", MEGABYTE)
        greedy = self.connect()
        with contextlib.suppress(ConnectionError):
            greedy.write(encode("SET", "k", "x" * MEGABYTE))
        self.assertTrue(greedy.at_end())
        self.assertEqual(admin("EXISTS", "k"), 0)
        fits = self.connect()
        self.assertEqual(fits("SET", "k", "x" * (MEGABYTE - 100)), OK)

    def test_a_pipeline_larger_than_the_query_buffer_limit_is_fine(self):
        """The limit is on what waits to be understood, not on what was sent."""
        self.configure("client-query-buffer-limit", MEGABYTE)
        connection = self.connect(timeout=20)
        connection.write(encode("SET", "k", "x" * 1000) * 4000)
        self.assertEqual([connection.read() for _ in range(4000)], [OK] * 4000)

    def test_soft_output_limit_counts_seconds(self):
        """Over the soft limit the connection lives for the configured time, not longer."""
        admin = self.configure("client-output-buffer-limit", f"normal 0 {MEGABYTE} 2")
        admin("SET", "k", "x" * MEGABYTE)
        lazy = self.connect()
        lazy.send("CLIENT", "SETNAME", "lazy")
        lazy.write(encode("GET", "k") * 30)
        support.wait_until(lambda: b"name=lazy" in admin("CLIENT", "LIST"), "the lazy client")
        time.sleep(1)
        self.assertIn(b"name=lazy", admin("CLIENT", "LIST"))
        support.wait_until(lambda: b"name=lazy" not in admin("CLIENT", "LIST"), "the cut", 6)

    def test_idle_clients_are_closed_after_the_timeout(self):
        idle = self.connect()
        idle("PING")
        subscriber = self.connect()
        subscriber("SUBSCRIBE", "news")
        busy = self.configure("timeout", 1)
        started = time.monotonic()
        while idle.quiet(0.1) and time.monotonic() - started < 5:
            self.assertEqual(busy("PING"), PONG)
        self.assertTrue(idle.at_end())
        self.assertGreater(time.monotonic() - started, 0.5)
        self.assertTrue(subscriber.quiet(), "subscribers may wait for ever")


class MaxClients(ServerTestCase):
    OPTIONS = ("--maxclients", "20")

    def test_one_client_too_many_is_told_so(self):
        clients = self.twenty_clients()
        self.assertEqual([client("PING") for client in clients], [PONG] * 20)
        with self.server.connect() as refused:
            self.assertEqual(refused.read(), Error("ERR max number of clients reached"))
            self.assertTrue(refused.at_end())
        self.assertEqual([client("PING") for client in clients], [PONG] * 20)
        clients.pop().close()
        support.wait_until(self.somebody_may_connect, "the freed place")
        info = support.parse_info(clients[0]("INFO"))
        self.assertGreaterEqual(int(info["rejected_connections"]), 1)
        self.assertEqual(info["maxclients"], "20")

    def twenty_clients(self):
        """As many as there may be, once those of the test before have been noticed to be gone."""
        support.wait_until(self.somebody_may_connect, "a free place")
        first = self.connect()
        support.wait_until(
            lambda: support.parse_info(first("INFO", "clients"))["connected_clients"] == "1",
            "earlier clients to be gone")
        return [first] + [self.connect() for _ in range(19)]

    def somebody_may_connect(self):
        with self.server.connect() as connection:
            with contextlib.suppress(Closed, ConnectionError):
                return connection("PING") == PONG

    def test_the_limit_can_be_raised_while_running(self):
        clients = self.twenty_clients()
        self.assertEqual(clients[0]("CONFIG", "SET", "maxclients", "30"), OK)
        clients += [self.connect() for _ in range(10)]
        self.assertEqual([client("PING") for client in clients], [PONG] * 30)
        self.assertEqual(clients[0]("CONFIG", "SET", "maxclients", "20"), OK)


class ProtectedMode(support.unittest.TestCase):
    """Without a password only the machine itself is served, unless told otherwise."""

    TIMEOUT = 30

    @classmethod
    def setUpClass(cls):
        cls.address = cls.own_address()

    @staticmethod
    def own_address():
        """An IPv4 address of this machine other than the loopback's, or None."""
        addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True,
                                   check=False, timeout=10).stdout.split()
        return next((address for address in addresses if "." in address), None)

    def connect(self, server):
        if self.address is None:
            self.skipTest("this machine has no address but the loopback's")
        connection = Connection((self.address, server.port))
        self.addCleanup(connection.close)
        return connection

    def test_others_are_refused_with_an_explanation(self):
        with Server("--bind", "0.0.0.0", "--protected-mode", "yes") as server:
            refused = self.connect(server)
            self.assertRegex(refused.read().text,
                             "^DENIED .*protected mode is enabled and no password is set")
            self.assertTrue(refused.at_end())
            self.assertEqual(server.connect()("PING"), PONG)
            self.assertEqual(server.connect()("CONFIG", "SET", "protected-mode", "no"), OK)
            self.assertEqual(self.connect(server)("PING"), PONG)

    def test_a_password_is_protection_enough(self):
        with Server("--bind", "0.0.0.0", "--requirepass", "s3cret") as server:
            self.assertEqual(self.connect(server)("AUTH", "s3cret"), OK)


class IdleConnections(ServerTestCase):
    def test_they_are_small(self):
        warm_up = [self.connect() for _ in range(100)]
        resident = self.server.resident_bytes()
        idle = [self.connect() for _ in range(1000)]
        for connection in idle:
            self.assertEqual(connection("PING"), PONG)
        growth = self.server.resident_bytes() - resident
        print(f"# {growth / len(idle):.0f} bytes for an idle connection")
        self.assertLess(growth / len(idle), 32 * 1024)
        self.assertTrue(warm_up)


if __name__ == "__main__":
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard_limit))  # for the idle connections
    support.main()

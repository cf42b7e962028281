#!/usr/bin/env python3
"""What a client may do before it has authenticated, and what it is told."""

import support
from resp import OK, PONG, Error, Simple, encode
from support import ServerTestCase

PASSWORD = "s3cret"
NO_AUTH = Error("NOAUTH Authentication required.")
WRONG_PASSWORD = Error("WRONGPASS invalid username-password pair or user is disabled.")


class RequirePass(ServerTestCase):
    OPTIONS = ("--requirepass", PASSWORD)

    def connect(self, authenticate=False, **options):
        connection = super().connect(**options)
        if authenticate:
            self.assertEqual(connection("AUTH", PASSWORD), OK)
        return connection

    def test_nothing_works_before_auth(self):
        connection = self.connect()
        for line in ("PING", "GET k", "SET k v", "INFO", "CONFIG GET *", "CLIENT LIST",
                     "SUBSCRIBE news", "ECHO x", "SELECT 1", "COMMAND", "SHUTDOWN NOSAVE"):
            self.assertEqual(connection(*line.split()), NO_AUTH, line)

    def test_errors_of_form_come_before_authentication(self):
        connection = self.connect()
        self.assertEqual(connection("NONSENSE", "a"),
                         Error("ERR unknown command 'NONSENSE', with args beginning with: 'a' "))
        self.assertEqual(connection("GET"),
                         Error("ERR wrong number of arguments for 'get' command"))
        self.assertEqual(connection("AUTH"),
                         Error("ERR wrong number of arguments for 'auth' command"))
        self.assertEqual(connection("AUTH", "a", "b", "c"), Error("ERR syntax error"))

    def test_auth(self):
        connection = self.connect()
        self.assertEqual(connection("AUTH", "wrong"), WRONG_PASSWORD)
        self.assertEqual(connection("AUTH", ""), WRONG_PASSWORD)
        self.assertEqual(connection("AUTH", PASSWORD + "x"), WRONG_PASSWORD)
        self.assertEqual(connection("AUTH", PASSWORD[:-1]), WRONG_PASSWORD)
        self.assertEqual(connection("AUTH", "nobody", PASSWORD), WRONG_PASSWORD)
        self.assertEqual(connection("AUTH", "default", "wrong"), WRONG_PASSWORD)
        self.assertEqual(connection("GET", "k"), NO_AUTH)
        self.assertEqual(connection("AUTH", "default", PASSWORD), OK)
        self.assertEqual(connection("PING"), PONG)

    def test_a_failed_auth_keeps_an_authenticated_connection(self):
        connection = self.connect(authenticate=True)
        self.assertEqual(connection("AUTH", "wrong"), WRONG_PASSWORD)
        self.assertEqual(connection("PING"), PONG)

    def test_reset_takes_the_authentication_away(self):
        connection = self.connect(authenticate=True)
        self.assertEqual(connection("RESET"), Simple("RESET"))
        self.assertEqual(connection("PING"), NO_AUTH)

    def test_quit_and_reset_need_no_password(self):
        connection = self.connect()
        self.assertEqual(connection("RESET"), Simple("RESET"))
        self.assertEqual(connection("QUIT"), OK)
        self.assertTrue(connection.at_end())

    def test_hello_authenticates(self):
        connection = self.connect()
        reply = connection("HELLO", "3", "AUTH", "default", PASSWORD)
        self.assertEqual(reply.get(b"proto"), 3)
        self.assertIsNone(connection("GET", "none"))

    def test_ten_arguments_of_16_kb_are_the_limit(self):
        connection = self.connect()
        largest = "x" * 16384
        self.assertEqual(connection("MGET", *[largest] * 9), NO_AUTH)
        connection.write(b"*11\r\n")
        self.assertEqual(connection.read(),
                         Error("ERR Protocol error: unauthenticated multibulk length"))
        self.assertTrue(connection.at_end())

        connection = self.connect()
        connection.write(b"*2\r\n$3\r\nGET\r\n$16385\r\n")
        self.assertEqual(connection.read(),
                         Error("ERR Protocol error: unauthenticated bulk length"))
        self.assertTrue(connection.at_end())

    def test_128_requests_are_the_limit(self):
        if support.lacks("request-limit-before-auth"):
            self.skipTest("it has no such limit")
        connection = self.connect()
        connection.write(encode("AUTH", "wrong") * 128)
        for _ in range(128):
            self.assertEqual(connection.read(), WRONG_PASSWORD)
        self.assertTrue(connection.at_end())

    def test_that_limit_is_for_those_who_do_not_log_in(self):
        connection = self.connect()
        for _ in range(40):
            connection.write(encode("AUTH", "wrong") * 8 + encode("AUTH", PASSWORD) + encode("RESET"))
            for _ in range(8):
                self.assertEqual(connection.read(), WRONG_PASSWORD)
            self.assertEqual(connection.read(), OK)
            self.assertEqual(connection.read(), Simple("RESET"))

    def test_the_limit_ends_with_authentication(self):
        connection = self.connect()
        connection.write(encode("AUTH", PASSWORD))
        self.assertEqual(connection.read(), OK)
        self.assertEqual(connection("SET", "k", "x" * 20_000), OK)
        self.assertEqual(connection("EXISTS", *["k"] * 100), 100)

    def test_the_password_can_change_while_clients_are_connected(self):
        connection = self.connect(authenticate=True)
        self.assertEqual(connection("CONFIG", "SET", "requirepass", "other"), OK)
        self.addCleanup(self.restore_password)
        self.assertEqual(connection("PING"), PONG)
        newcomer = self.connect()
        self.assertEqual(newcomer("AUTH", PASSWORD), WRONG_PASSWORD)
        self.assertEqual(newcomer("AUTH", "other"), OK)
        self.assertEqual(newcomer("CONFIG", "GET", "requirepass"), [b"requirepass", b"other"])

    def restore_password(self):
        with self.server.connect() as connection:
            connection("AUTH", "other")
            connection("CONFIG", "SET", "requirepass", PASSWORD)


class NoPassword(ServerTestCase):
    def test_auth_without_a_password_configured(self):
        connection = self.connect()
        self.assertEqual(connection("AUTH", "anything"), Error(
            "ERR AUTH <password> called without any password configured for the default user. "
            "Are you sure your configuration is correct?"))
        self.assertEqual(connection("AUTH", "default", "anything"), OK)
        self.assertEqual(connection("AUTH", "nobody", "anything"), WRONG_PASSWORD)


if __name__ == "__main__":
    support.main()

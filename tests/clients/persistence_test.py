#!/usr/bin/env python3
"""Snapshots: written and read by this server and by redis-server, at the start and at the end."""

import pathlib
import random
import shutil
import signal
import subprocess
import time
import unittest

import support
from resp import OK, PONG, Closed, Error, encode
from support import Server

LOADING = Error("LOADING Redis is loading the dataset in memory")


def fill(connection, dice):
    """Keys of every type, small and big, in several databases, some with an expiry."""
    def word(most=40):
        if dice.random() < 0.3:
            return dice.randrange(-2**40, 2**40) if dice.random() < 0.5 else dice.randrange(-200, 200)
        return dice.randbytes(dice.randrange(most))

    def score():
        return dice.choice((dice.randrange(-1000, 1000), dice.random() * 1e6, "inf", "-inf", 1e300))

    commands = []
    for database in (0, 1, 15):
        commands.append(("SELECT", database))
        for number in range(300):
            size = dice.choice((1, 3, 20, 200, 1000))
            kind = dice.choice(("string", "long", "list", "set", "integers", "hash", "zset"))
            key = f"{kind}:{number}"
            commands.append({
                "string": lambda: ("SET", key, word()),
                "long": lambda: ("SET", key, dice.choice((b"ab", dice.randbytes(7))) * dice.choice((100, 20_000))),
                "list": lambda: ("RPUSH", key, *(word() for _ in range(size))),
                "set": lambda: ("SADD", key, *(word() for _ in range(size))),
                "integers": lambda: ("SADD", key, *(dice.randrange(2**40) for _ in range(size))),
                "hash": lambda: ("HSET", key, *(part for i in range(size) for part in (f"f{i}", word(100)))),
                "zset": lambda: ("ZADD", key, *(part for i in range(size) for part in (score(), f"m{i}"))),
            }[kind]())
            if dice.random() < 0.2:
                commands.append(("PEXPIRE", key, dice.randrange(10**6, 10**9)))
    connection.write(b"".join(encode(*command) for command in commands))
    for command in commands:
        reply = connection.read()
        assert not isinstance(reply, Error), (command, reply)


def digest(server):
    with server.connect(timeout=60) as connection:
        return connection("DEBUG", "DIGEST")


def call(server, *command):
    with server.connect(timeout=60) as connection:
        return connection(*command)


class PersistenceTestCase(unittest.TestCase):
    TIMEOUT = 120
    longMessage = True

    def make(self, *options, binary=None):
        """A server that is not started yet; its folder goes when the test ends."""
        server = Server(*options, binary=binary)
        self.addCleanup(server.close)
        return server

    def start(self, *options, binary=None):
        return self.make(*options, binary=binary).start()

    def filled(self, *options, binary=None):
        server = self.start(*options, binary=binary)
        with server.connect(timeout=60) as connection:
            fill(connection, random.Random(support.seed()))
        return server

    def assert_same_data(self, server, expected):
        self.assertEqual(digest(server), expected)


class Files(PersistenceTestCase):
    """Between this server and redis-server."""

    def setUp(self):
        if support.reference_binary() is None:
            self.skipTest("no redis-server")

    def move(self, source, *options, binary):
        """A server of `binary` that loads what `source` saves."""
        self.assertEqual(call(source, "SAVE"), OK)
        target = self.make(*options, binary=binary)
        shutil.copy(source.directory / "dump.rdb", target.directory / "dump.rdb")
        return target.start()

    def test_both_ways(self):
        """Ours, to Redis, and back: every key is the same."""
        ours = self.filled()
        data = digest(ours)
        redis = self.move(ours, binary=support.reference_binary())
        self.assert_same_data(redis, data)
        back = self.move(redis, binary=ours.binary)
        self.assert_same_data(back, data)

    def test_encodings_of_redis(self):
        """Small and big forms, compressed and plain, as Redis writes them."""
        for limit, compression in ((0, "no"), (1, "yes"), (10_000, "yes")):
            options = [part for name in ("hash-max-listpack-entries", "zset-max-listpack-entries",
                                         "set-max-intset-entries")
                       for part in (f"--{name}", limit)]
            redis = self.filled(*options, "--rdbcompression", compression,
                                binary=support.reference_binary())
            ours = self.move(redis, binary=support.server_binary())
            self.assert_same_data(ours, digest(redis))

    def test_what_redis_check_rdb_says(self):
        checker = shutil.which("redis-check-rdb")
        if checker is None:
            self.skipTest("no redis-check-rdb")
        for options in ((), ("--rdbcompression", "no"), ("--rdbchecksum", "no")):
            server = self.filled(*options)
            self.assertEqual(call(server, "SAVE"), OK)
            done = subprocess.run([checker, server.directory / "dump.rdb"], capture_output=True,
                                  text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("RDB looks OK!", done.stdout)

    def test_dump_and_restore(self):
        """Payloads are understood on either side."""
        ours = self.filled()
        redis = self.start(binary=support.reference_binary())
        for source, target in ((ours, redis), (redis, ours)):
            with source.connect(timeout=60) as giver, target.connect(timeout=60) as taker:
                taker("FLUSHALL")
                keys = giver("KEYS", "*")
                for key in keys:
                    giver("PERSIST", key)  # a payload has no expiry
                giver.write(b"".join(encode("DUMP", key) for key in keys))
                payloads = [giver.read() for _ in keys]
                taker.write(b"".join(encode("RESTORE", key, 0, payload)
                                     for key, payload in zip(keys, payloads)))
                self.assertEqual([taker.read() for _ in keys], [OK] * len(keys))
                for key in keys:
                    self.assertEqual(giver("DEBUG", "DIGEST-VALUE", key),
                                     taker("DEBUG", "DIGEST-VALUE", key))


class Restarts(PersistenceTestCase):
    def test_after_save_and_a_crash(self):
        server = self.filled()
        data = digest(server)
        self.assertEqual(call(server, "SAVE"), OK)
        call(server, "SET", "later", "lost")
        server.stop(signal.SIGKILL)
        server.start()
        self.assert_same_data(server, data)
        self.assertEqual(server.info("persistence")["rdb_changes_since_last_save"], "0")
        self.assertGreater(int(server.info("persistence")["rdb_last_load_keys_loaded"]), 0)

    def test_signals_save_where_save_points_are_set(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.filled("--save", "3600 1")
            data = digest(server)
            self.assertEqual(server.stop(number), 0)
            server.start()
            self.assert_same_data(server, data)

    def test_signals_do_not_save_without_save_points(self):
        server = self.filled()
        self.assertEqual(server.stop(), 0)
        self.assertFalse((server.directory / "dump.rdb").exists())

    def test_signals_as_configured(self):
        server = self.filled("--shutdown-on-sigterm", "save")
        data = digest(server)
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assert_same_data(server, data)
        server = self.filled("--save", "3600 1", "--shutdown-on-sigint", "nosave")
        self.assertEqual(server.stop(signal.SIGINT), 0)
        self.assertFalse((server.directory / "dump.rdb").exists())

    def test_every_answered_write_is_in_the_final_snapshot(self):
        server = self.start("--save", "3600 1")
        counters = [0] * 4

        def count(index):
            with server.connect() as connection:
                try:
                    while True:
                        counters[index] = connection("INCR", f"counter:{index}")
                except (Closed, OSError):
                    pass

        def stop():
            time.sleep(0.5)
            server.stop()

        support.in_threads([lambda i=i: count(i) for i in range(4)] + [stop])
        server.start()
        for index, counted in enumerate(counters):
            kept = int(call(server, "GET", f"counter:{index}"))
            # The last one may have been executed without the client having seen the answer.
            self.assertIn(kept - counted, (0, 1))

    def test_shutdown(self):
        for options, command, saved in (((), ("SHUTDOWN",), False),
                                        ((), ("SHUTDOWN", "SAVE"), True),
                                        (("--save", "3600 1"), ("SHUTDOWN",), True),
                                        (("--save", "3600 1"), ("SHUTDOWN", "NOSAVE"), False),
                                        (("--save", "3600 1"), ("SHUTDOWN", "NOSAVE", "NOW", "FORCE"), False)):
            with self.subTest(command=command, options=options):
                server = self.start(*options)
                call(server, "SET", "k", "v")
                connection = server.connect()
                connection.send(*command)
                self.assertTrue(connection.at_end())
                self.assertEqual(server.process.wait(10), 0)
                self.assertEqual((server.directory / "dump.rdb").exists(), saved)

    def test_save_points(self):
        server = self.start("--save", "1 3")
        for number in range(3):
            call(server, "SET", f"k{number}", "v")
        support.wait_until((server.directory / "dump.rdb").exists, "the snapshot")
        support.wait_until(lambda: server.info("persistence")["rdb_changes_since_last_save"] == "0",
                           "the count to begin anew")
        self.assertEqual(list(server.directory.glob("temp-*")), [])

    def test_one_loop(self):
        server = self.filled("--io-threads", "1")
        data = digest(server)
        with server.connect(timeout=60) as connection:
            connection("BGSAVE")
            for number in range(2000):
                connection("SET", f"extra:{number}", number)
            support.wait_until(
                lambda: b"rdb_bgsave_in_progress:0" in connection("INFO", "persistence"), "the end")
            for number in range(2000):
                connection("DEL", f"extra:{number}")
        self.assert_same_data(server, data)
        server.stop(signal.SIGKILL)
        server.start()
        self.assert_same_data(server, data)


class Loading(PersistenceTestCase):
    TIMEOUT = 300

    def keys(self):
        return 5_000_000 if support.long_run() else 400_000

    def stopped_with_data(self):
        """A server that will have something to load for a while."""
        server = self.start("--enable-protected-configs", "yes")
        self.assertEqual(call(server, "DEBUG", "POPULATE", self.keys(), "key", 100), OK)
        self.assertEqual(call(server, "SAVE"), OK)
        server.stop(signal.SIGKILL)
        return server

    @staticmethod
    def begin(server):
        """Starts the process and returns at once."""
        log = open(server.log, "ab")  # noqa: SIM115: the process keeps it
        server.process = subprocess.Popen(server.command_line(), stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=subprocess.STDOUT, cwd=server.directory)
        log.close()

    @staticmethod
    def connected(server):
        def attempt():
            try:
                return server.connect()
            except OSError:
                return None
        return support.wait_until(attempt, "somebody to listen")

    def test_clients_are_told_to_wait(self):
        server = self.stopped_with_data()
        self.begin(server)
        with self.connected(server) as connection:
            seen = []
            percents = []
            health = None
            while (reply := connection("PING")) != PONG:
                self.assertEqual(reply, LOADING)
                self.assertIn(connection("GET", "key:1"), (LOADING, None, b"value:1" + b"\0" * 93))
                info = support.parse_info(connection("INFO", "persistence"))
                if info["loading"] == "1":
                    percents.append(float(info["loading_loaded_perc"]))
                    self.assertGreaterEqual(int(info["loading_eta_seconds"]), 0)
                if health is None:
                    health = subprocess.run([server.binary, "--check-health", f"127.0.0.1:{server.port}"],
                                            capture_output=True, text=True, timeout=10, check=False)
                seen.append(reply)
                time.sleep(0.01)
            self.assertGreater(len(seen), 3)
            self.assertEqual(percents, sorted(percents))
            self.assertGreater(percents[-1], 0)
            self.assertEqual(connection("DBSIZE"), self.keys())
        self.assertIn("Loaded", server.log.read_text())
        if server.kind == "spinel" and health.returncode != 0:
            self.assertIn("loading", health.stderr)

    def test_sigterm_ends_it_at_once_and_the_file_stays(self):
        server = self.stopped_with_data()
        path = server.directory / "dump.rdb"
        before = path.read_bytes()
        server.options += ["--save", "1 1"]
        self.begin(server)
        with self.connected(server) as connection:
            self.assertEqual(connection("PING"), LOADING)
        started = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(list(server.directory.glob("temp-*")), [])

    def refused(self, server):
        done = subprocess.run(server.command_line(), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stdout + done.stderr

    def test_damaged_files(self):
        server = self.filled()
        self.assertEqual(call(server, "SAVE"), OK)
        server.stop()
        path = server.directory / "dump.rdb"
        good = path.read_bytes()
        for name, bad in (("cut", good[:len(good) // 2]), ("empty", b""), ("text", b"hello, world\n"),
                          ("changed", good[:1000] + bytes([good[1000] ^ 0xff]) + good[1001:]),
                          ("newer", b"REDIS0099" + good[9:])):
            with self.subTest(name):
                path.write_bytes(bad)
                text = self.refused(server)
                self.assertIn(str(path), text)
                self.assertIn("Remedy", text)
                self.assertEqual(path.read_bytes(), bad)

    def test_more_databases_than_there_are(self):
        server = self.filled()
        self.assertEqual(call(server, "SAVE"), OK)
        server.stop()
        server.options += ["--databases", "4"]
        self.assertIn("database", self.refused(server))

    def test_a_folder_in_its_place(self):
        server = self.make()
        pathlib.Path(server.directory / "dump.rdb").mkdir()
        self.assertIn("Remedy", self.refused(server))


if __name__ == "__main__":
    support.main()

#!/usr/bin/env python3
"""Snapshots that are cut short or cannot be written: crashes, full and broken disks, rights."""

import contextlib
import errno
import os
import pathlib
import random
import shutil
import signal
import stat
import subprocess
import threading
import time
import unittest

import support
from resp import OK, Closed, Error, encode
from support import ROOT, Server

NOBODY = 65534
MISCONF = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist"


class UnprivilegedServer(Server):
    """Runs as nobody, whom permissions stop."""

    def command_line(self):
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                *super().command_line()]


class FaultTestCase(unittest.TestCase):
    TIMEOUT = 120
    longMessage = True

    def start(self, *options, server_class=Server):
        server = server_class(*options)
        self.addCleanup(server.close)
        return server.start()

    @staticmethod
    def call(server, *command):
        with server.connect(timeout=60) as connection:
            return connection(*command)

    @staticmethod
    def saving(server):
        return server.info("persistence")["rdb_bgsave_in_progress"] == "1"

    def save_in_background(self, server):
        """The reply to BGSAVE, and rdb_last_bgsave_status once it is over."""
        reply = self.call(server, "BGSAVE")
        support.wait_until(lambda: not self.saving(server), "the end of the snapshot", 60)
        return reply, server.info("persistence")["rdb_last_bgsave_status"]

    def assert_fails(self, server, cause):
        """SAVE and BGSAVE fail; reply and log name file, cause and remedy."""
        folder = self.call(server, "CONFIG", "GET", "dir")[1].decode()
        before = self.call(server, "LASTSAVE")
        reply = self.call(server, "SAVE")
        self.assertIsInstance(reply, Error)
        for part in (folder, cause):
            self.assertIn(part, reply.text)
        _, status = self.save_in_background(server)
        self.assertEqual(status, "err")
        self.assertIn(reply.text.removeprefix("ERR "), server.log.read_text(errors="replace"))
        self.assertEqual(self.call(server, "LASTSAVE"), before)
        if os.path.isdir(folder):
            self.assertEqual(list(pathlib.Path(folder).glob("temp-*")), [])

    def assert_writes_stop_as_configured(self, server):
        """Expects that the last snapshot has failed."""
        with server.connect() as connection:
            self.assertEqual(connection("SET", "k", "v"), OK)  # no save points: nobody minds
            connection("CONFIG", "SET", "save", "3600 1000000")
            self.assertTrue(connection("SET", "k", "v").text.startswith(MISCONF))
            self.assertNotIsInstance(connection("GET", "k"), Error)
            connection("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
            self.assertEqual(connection("SET", "k", "v"), OK)
            connection("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")

    def assert_works_again(self, server):
        self.assertEqual(self.save_in_background(server)[1], "ok")
        self.assertEqual(self.call(server, "SET", "k", "v"), OK)
        self.assertEqual(self.call(server, "SAVE"), OK)


class Crashes(FaultTestCase):
    TIMEOUT = 3600
    ACCOUNTS = 400
    TOTAL = 1000 * ACCOUNTS

    def test_kill_at_random_moments(self):
        """Whatever moment it is: a whole file is there, and shows one moment of the data."""
        dice = random.Random(support.seed())
        server = self.start("--io-threads", "2")
        with server.connect() as connection:
            connection("MSET", *(part for i in range(self.ACCOUNTS) for part in (f"account:{i}", 1000)))
            connection("DEBUG", "POPULATE", 20_000, "ballast", 200)
            self.assertEqual(connection("SAVE"), OK)
        for attempt in range(200 if support.long_run() else 15):
            with self.subTest(attempt=attempt):
                self.crash_once(server, dice)
                server.start(attempts=1)
                self.check(server)

    def crash_once(self, server, dice):
        """Kills the server while snapshots follow each other and transactions move amounts about."""
        over = threading.Event()
        threads = [threading.Thread(target=self.transfer, args=(server, dice.random(), over))
                   for _ in range(2)]
        threads.append(threading.Thread(target=self.keep_saving, args=(server, over)))
        for thread in threads:
            thread.start()
        time.sleep(dice.uniform(0.02, 0.4))
        server.process.kill()
        server.process.wait(10)
        over.set()
        for thread in threads:
            thread.join(30)

    def transfer(self, server, number, over):
        dice = random.Random(number)
        with contextlib.suppress(Closed, OSError), server.connect() as connection:
            while not over.is_set():
                batch = b""
                for _ in range(20):
                    giver, taker = dice.sample(range(self.ACCOUNTS), 2)
                    amount = dice.randrange(100)
                    batch += (encode("MULTI") + encode("DECRBY", f"account:{giver}", amount)
                              + encode("INCRBY", f"account:{taker}", amount)
                              + encode("SET", f"ballast:{dice.randrange(20_000)}", "x" * 200)
                              + encode("EXEC"))
                connection.write(batch)
                for _ in range(5 * 20):
                    connection.read()

    def keep_saving(self, server, over):
        with contextlib.suppress(Closed, OSError), server.connect() as connection:
            while not over.is_set():
                connection("BGSAVE")

    def check(self, server):
        """Nothing is lost or made by halves of transactions, and no temporary file is left."""
        with server.connect() as connection:
            amounts = connection("MGET", *(f"account:{i}" for i in range(self.ACCOUNTS)))
            self.assertEqual(sum(int(amount) for amount in amounts), self.TOTAL)
            self.assertEqual(connection("DBSIZE"), self.ACCOUNTS + 20_000)
        self.assertEqual(list(server.directory.glob("temp-*")), [])


@unittest.skipUnless(os.geteuid() == 0, "mounting needs root")
class Volumes(FaultTestCase):
    def mount(self, directory, *options):
        done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(directory)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"no tmpfs can be mounted here: {done.stderr.strip()}")

    def start_on_volume(self, size):
        """A server whose snapshots go to a small volume of their own."""
        server = Server()
        self.addCleanup(server.close)
        volume = server.directory / "volume"
        volume.mkdir()
        self.mount(volume, "-o", f"size={size}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(volume)], check=False)
        server.options += ["--dir", str(volume)]
        return server.start(), volume

    def test_no_space_left(self):
        server, volume = self.start_on_volume("1m")
        self.call(server, "SET", "small", "v")
        self.assertEqual(self.call(server, "SAVE"), OK)
        good = (volume / "dump.rdb").read_bytes()
        with server.connect() as connection:
            for number in range(200):
                connection("SET", f"big:{number}", random.randbytes(20_000))
        self.assert_fails(server, "No space left on device")
        self.assertEqual((volume / "dump.rdb").read_bytes(), good)
        self.assert_writes_stop_as_configured(server)
        subprocess.run(["mount", "-o", "remount,size=64m", str(volume)], check=True)
        self.assert_works_again(server)

    def test_a_failing_final_snapshot_keeps_the_server_alive(self):
        server, volume = self.start_on_volume("1m")
        with server.connect() as connection:
            for number in range(200):
                connection("SET", f"big:{number}", random.randbytes(20_000))
            connection("CONFIG", "SET", "save", "3600 1000000")
            for _ in range(2):
                server.process.send_signal(signal.SIGTERM)
                support.wait_until(
                    lambda: "can't exit" in server.log.read_text(errors="replace"), "the message")
                self.assertEqual(connection("SET", "k", "v"), OK)
            self.assertEqual(connection("SHUTDOWN"),
                             Error("ERR Errors trying to SHUTDOWN. Check logs."))
            self.assertEqual(connection("SET", "k", "w"), OK)
            connection.send("SHUTDOWN", "FORCE")
            self.assertTrue(connection.at_end())
        self.assertEqual(server.process.wait(10), 0)
        self.assertEqual(list(volume.iterdir()), [])

    def test_read_only_volume(self):
        server, volume = self.start_on_volume("16m")
        subprocess.run(["mount", "-o", "remount,ro", str(volume)], check=True)
        self.assert_fails(server, "Read-only file system")
        self.assert_writes_stop_as_configured(server)
        subprocess.run(["mount", "-o", "remount,rw", str(volume)], check=True)
        self.assert_works_again(server)


class Folders(FaultTestCase):
    def test_missing_folder(self):
        server = Server()
        self.addCleanup(server.close)
        folder = server.directory / "data"
        folder.mkdir()
        server.options += ["--dir", str(folder)]
        server.start()
        shutil.rmtree(folder)
        self.assert_fails(server, "No such file or directory")
        self.assert_writes_stop_as_configured(server)
        folder.mkdir()
        self.assert_works_again(server)

    def test_folder_that_may_not_be_written_to(self):
        privileged = os.geteuid() == 0
        if privileged and shutil.which("setpriv") is None:
            self.skipTest("root may write everywhere, and there is no setpriv")
        server = (UnprivilegedServer if privileged else Server)()
        self.addCleanup(server.close)
        if privileged:
            os.chown(server.directory, NOBODY, NOBODY)
        server.start()
        server.directory.chmod(stat.S_IRUSR | stat.S_IXUSR)
        self.assert_fails(server, "Permission denied")
        self.assert_writes_stop_as_configured(server)
        server.directory.chmod(stat.S_IRWXU)
        self.assert_works_again(server)

    def test_file_that_may_not_be_read(self):
        privileged = os.geteuid() == 0
        if privileged and shutil.which("setpriv") is None:
            self.skipTest("root may read everything, and there is no setpriv")
        server = (UnprivilegedServer if privileged else Server)()
        self.addCleanup(server.close)
        if privileged:
            os.chown(server.directory, NOBODY, NOBODY)
        path = server.directory / "dump.rdb"
        path.write_bytes(b"REDIS0010")
        path.chmod(0)
        done = subprocess.run(server.command_line(), capture_output=True, text=True, timeout=20,
                              check=False)
        self.assertEqual(done.returncode, 1)
        for part in (str(path), "Permission denied", "Remedy"):
            self.assertIn(part, done.stdout + done.stderr)

    def test_temporary_files_of_the_dead_go(self):
        server = Server()
        self.addCleanup(server.close)
        stale = server.directory / "temp-999999999.rdb"
        stale.write_bytes(b"half of a snapshot")
        server.start()
        self.assertFalse(stale.exists())


class Disks(FaultTestCase):
    """Calls that fail, by a library that is preloaded."""

    def start_with_library(self):
        if shutil.which("cc") is None:
            self.skipTest("no C compiler")
        server = Server("--save", "")
        self.addCleanup(server.close)
        library = server.directory / "failing_files.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library),
                        str(ROOT / "tests/faults/failing_files.c"), "-ldl"], check=True)
        switch = server.directory / "failing"
        command_line = server.command_line
        server.command_line = lambda: ["env", f"LD_PRELOAD={library}", f"FAILING_FILES={switch}",
                                       *command_line()]
        if b"libasan" in subprocess.run(["ldd", server.binary], capture_output=True, check=False).stdout:
            self.skipTest("the sanitizer wants to be preloaded first")
        return server.start(), switch

    def test_input_output_errors(self):
        server, switch = self.start_with_library()
        self.call(server, "SET", "before", "v")
        self.assertEqual(self.call(server, "SAVE"), OK)
        good = (server.directory / "dump.rdb").read_bytes()
        for number, cause in ((errno.EIO, "Input/output error"), (errno.EDOM, "Input/output error"),
                              (errno.EDQUOT, "Disk quota exceeded"),
                              (errno.ENOSPC, "No space left on device")):
            with self.subTest(number=number):
                switch.write_text(str(number))
                self.call(server, "CONFIG", "SET", "save", "")
                self.assert_fails(server, cause)
                self.assertEqual((server.directory / "dump.rdb").read_bytes()[:9], good[:9])
                self.assert_writes_stop_as_configured(server)
                switch.unlink()
                self.assert_works_again(server)


if __name__ == "__main__":
    support.main()

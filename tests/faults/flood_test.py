#!/usr/bin/env python3
"""Thousands of clients that do not log in, send junk and never read: little memory is held for them,
clients with the password notice nothing, and all are cut in time."""

import contextlib
import multiprocessing
import os
import resource
import selectors
import socket
import time

import support
from resp import OK, Closed
from support import Server, ServerTestCase

PASSWORD = "s3cret"
CLIENTS = 10_000 if support.long_run() else 2_000
LOGIN_SECONDS = 10 if support.long_run() else 4
MEGABYTE = 1 << 20
# A client that waits for its deadline may be held a few KB; a loop has 32 MB for requests that are
# never finished; the rest is room for the allocator.
MEMORY_LIMIT = CLIENTS * 10 * 1024 + 2 * 32 * MEGABYTE + 48 * MEGABYTE
REQUESTS = 400  # in a round
FLOOR_SECONDS = 0.02  # what the machine's scheduler may cost, with as many processes as CPUs


def unfinished(fill):
    """Ten arguments of 16 KB, all but the last byte."""
    argument = b"$16384\r\n" + fill * 16384 + b"\r\n"
    return (b"*10\r\n" + argument * 10)[:-3]


JUNK = (
    b"GET somebody:else\r\n" * 20_000,        # refused one by one, answers unread
    unfinished(b"x"),                         # held until the deadline, or until there is no room
    os.urandom(64 * 1024),
    b"*1000000\r\n",                          # more than anybody may send before AUTH
    b"",                                      # says nothing
    b"*2\r\n$4\r\nAUTH\r\n$5\r\nwr",          # begins to log in
    b"*2\r\n$4\r\nAUTH\r\n$5\r\nwrong\r\n" * 5_000,
    b"HELLO 3\r\n" * 20_000,
)


def flood(port, connected, sent_all):
    """In a process of its own: opens CLIENTS connections, then sends for as long as it is let.

    It is nice: those who flood have CPUs of their own, and what is measured is the server.
    """
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_NOFILE, (CLIENTS + 100,) * 2)
    clients = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(CLIENTS)]
    connected.set()
    waiting = []  # open, with an answer that nobody reads
    with selectors.EpollSelector() as selector:
        for number, client in enumerate(clients):
            client.setblocking(False)
            junk = JUNK[number % len(JUNK)]
            selector.register(client, selectors.EVENT_WRITE if junk else selectors.EVENT_READ,
                              [junk, 0])
        clients.clear()
        while selector.get_map():
            if push(selector, waiting) == 0:
                sent_all.set()
            time.sleep(0.001)


def push(selector, waiting):
    """One turn over the connections that something happened to; how many still had to send."""
    sending = 0
    for key, _ in selector.select(timeout=0.1):
        junk, sent = key.data
        try:
            if sent == len(junk):
                # Only whether it was closed: what was answered stays unread.
                if not key.fileobj.recv(1, socket.MSG_PEEK):
                    raise ConnectionResetError
                selector.unregister(key.fileobj)
                waiting.append(key.fileobj)
                continue
            sending += 1
            key.data[1] = sent + key.fileobj.send(junk[sent:sent + 65536])
            if key.data[1] == len(junk):
                # Nothing more to say: it is open as long as it is let.
                selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
        except (BlockingIOError, InterruptedError):
            continue
        except OSError:
            selector.unregister(key.fileobj)
            key.fileobj.close()
    return sending


class Flood(ServerTestCase):
    OPTIONS = ("--requirepass", PASSWORD, "--io-threads", "2", "--maxclients", str(CLIENTS + 100),
               "--unauthenticated-timeout", str(LOGIN_SECONDS))
    TIMEOUT = 300

    def log_in(self):
        connection = self.connect(timeout=60)
        self.assertEqual(connection("AUTH", PASSWORD), OK)
        return connection

    @staticmethod
    def times(connection):
        """A round of requests: how long each took, in seconds."""
        taken = []
        for number in range(REQUESTS):
            started = time.perf_counter()
            connection("SET", f"key:{number % 100}", "value")
            taken.append(time.perf_counter() - started)
        return taken

    @staticmethod
    def p99(times):
        return sorted(times)[len(times) * 99 // 100]

    def give_the_server_a_cpu(self):
        """What is measured is the server, not who gets the CPU: all others share the remaining ones."""
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            return
        for thread in os.listdir(f"/proc/{self.server.pid}/task"):
            os.sched_setaffinity(int(thread), cpus[:1])
        os.sched_setaffinity(0, cpus[1:])
        self.addCleanup(os.sched_setaffinity, 0, cpus)

    def test_a_flood_before_login(self):
        self.give_the_server_a_cpu()
        admin = self.log_in()
        quiet = self.p99([taken for _ in range(10) for taken in self.times(admin)])
        before = self.server.resident_bytes()
        connected, sent_all = multiprocessing.Event(), multiprocessing.Event()
        flooder = multiprocessing.Process(target=flood, args=(self.server.port, connected, sent_all),
                                          daemon=True)
        flooder.start()
        self.addCleanup(flooder.kill)
        times, peak, most = [], 0, 0
        deadline = None
        while True:
            flooded = connected.is_set() and not sent_all.is_set()
            taken = self.times(admin)
            peak = max(peak, self.server.resident_bytes() - before)
            clients = self.clients(admin)
            most = max(most, clients)
            if flooded:
                times += taken
            if connected.is_set():
                deadline = deadline or time.monotonic() + LOGIN_SECONDS + 60
                if clients == 1:
                    break
                self.assertLess(time.monotonic(), deadline, f"{clients - 1} clients are still there")
        usual = self.p99(times)
        print(f"# {CLIENTS} clients, {most} at a time; p99 {quiet * 1000:.2f} ms before, {usual * 1000:.2f} ms"
              f" while they sent ({len(times)} requests, the slowest {max(times) * 1000:.0f} ms);"
              f" RSS +{peak / MEGABYTE:.0f} MB")
        self.assertLess(usual, max(2 * quiet, FLOOR_SECONDS))
        self.assertLess(peak, MEMORY_LIMIT)
        self.assertGreater(most, CLIENTS // 2)

    @staticmethod
    def clients(admin):
        info = support.parse_info(admin("INFO", "clients"))
        return int(info["connected_clients"])


class Deadline(ServerTestCase):
    OPTIONS = ("--requirepass", PASSWORD, "--unauthenticated-timeout", "2")

    def test_who_does_not_log_in_is_cut_busy_or_not(self):
        silent, busy, member = self.connect(), self.connect(), self.connect()
        self.assertEqual(member("AUTH", PASSWORD), OK)
        started = time.monotonic()
        with contextlib.suppress(OSError, Closed):
            while time.monotonic() - started < 20:
                busy("PING")
                time.sleep(0.1)
        self.assertLess(time.monotonic() - started, 15)
        self.assertTrue(silent.at_end())
        time.sleep(1)
        self.assertEqual(member("SET", "k", "v"), OK)

    def test_it_is_off_with_zero_and_without_a_password(self):
        member = self.connect()
        self.assertEqual(member("AUTH", PASSWORD), OK)
        self.assertEqual(member("CONFIG", "SET", "unauthenticated-timeout", "0"), OK)
        self.addCleanup(member, "CONFIG", "SET", "unauthenticated-timeout", "2")
        waiting = self.connect()
        time.sleep(4)
        self.assertEqual(waiting("AUTH", PASSWORD), OK)
        with Server("--unauthenticated-timeout", "1") as server, server.connect() as client:
            time.sleep(3)
            self.assertEqual(client("SET", "k", "v"), OK)


if __name__ == "__main__":
    support.main()

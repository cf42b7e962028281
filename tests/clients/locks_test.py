#!/usr/bin/python3
"""Distributed locks: redis-py's own (SET NX and three scripts), and a reentrant one as Redisson
keeps it (a hash that counts per owner, and a channel that wakes whoever waits)."""

import threading
import time

from redis.exceptions import LockError, LockNotOwnedError

import support
from redis_py_case import Clients


class LockTestCase(Clients):
    def count_under_lock(self, clients, rounds, locked):
        """Increments a number by reading and writing it, which only a lock makes right.

        `locked` makes a context manager from a client and a number.
        """
        inside, together = [], []

        def work(number):
            client = self.open()
            for _ in range(rounds):
                with locked(client, number):
                    inside.append(number)
                    together.extend(inside[1:])
                    client.set("n", int(client.get("n") or 0) + 1)
                    inside.remove(number)

        support.in_threads([lambda number=number: work(number) for number in range(clients)])
        self.assertEqual(together, [])
        self.assertEqual(int(self.client.get("n")), clients * rounds)


class RedisPyLock(LockTestCase):
    def test_a_lock_is_taken_once(self):
        mine, other = self.client.lock("lock"), self.open().lock("lock")
        self.assertFalse(mine.locked())
        self.assertTrue(mine.acquire(blocking=False))
        self.assertFalse(other.acquire(blocking=False))
        self.assertTrue(other.locked())
        self.assertTrue(mine.owned())
        self.assertFalse(other.owned())
        mine.release()
        self.assertFalse(mine.locked())
        self.assertTrue(other.acquire(blocking=False))
        with self.assertRaises(LockError):
            mine.release()

    def test_waiting_for_a_lock_ends(self):
        self.assertTrue(self.client.lock("lock", timeout=60).acquire())
        started = time.monotonic()
        other = self.client.lock("lock", blocking_timeout=0.3, sleep=0.02)
        self.assertFalse(other.acquire())
        self.assertTrue(0.2 < time.monotonic() - started < 5)
        with self.assertRaises(LockError):
            with other:
                self.fail("the lock is somebody else's")

    def test_a_lock_times_out_and_is_not_owned_any_more(self):
        lock = self.client.lock("lock", timeout=0.05)
        self.assertTrue(lock.acquire())
        support.wait_until(lambda: not lock.locked(), "50 ms to pass")
        self.assertFalse(lock.owned())
        self.assertTrue(self.client.lock("lock", timeout=60).acquire(blocking=False))
        for use in (lock.reacquire, lambda: lock.extend(10), lock.release):
            with self.assertRaises(LockNotOwnedError):
                use()
            lock.local.token = lock.local.token or b"the old token"
        self.assertTrue(self.client.exists("lock"))

    def test_extending(self):
        lock = self.client.lock("lock", timeout=10)
        self.assertTrue(lock.acquire())
        self.assertTrue(lock.extend(10))
        self.assertTrue(19_000 < self.client.pttl("lock") <= 20_000)
        self.assertTrue(lock.extend(5, replace_ttl=True))
        self.assertTrue(4000 < self.client.pttl("lock") <= 5000)
        self.assertTrue(lock.reacquire())
        self.assertTrue(9000 < self.client.pttl("lock") <= 10_000)

    def test_the_scripts_survive_a_flush(self):
        lock = self.client.lock("lock", timeout=10)
        for _ in range(3):
            self.assertTrue(lock.acquire())
            self.client.script_flush()
            self.assertTrue(lock.extend(10))
            self.client.script_flush()
            lock.release()

    def test_many_clients_take_turns(self):
        self.count_under_lock(8, 20, lambda client, _: client.lock("lock", timeout=30, sleep=0.001))


class RedissonStyleLock:
    """Reentrant: `name` is a hash with the owner and how often it holds the lock."""

    TAKE = """
        if redis.call('exists', KEYS[1]) == 0 or redis.call('hexists', KEYS[1], ARGV[2]) == 1 then
          redis.call('hincrby', KEYS[1], ARGV[2], 1)
          redis.call('pexpire', KEYS[1], ARGV[1])
          return nil
        end
        return redis.call('pttl', KEYS[1])
        """
    GIVE = """
        if redis.call('hexists', KEYS[1], ARGV[3]) == 0 then return nil end
        local held = redis.call('hincrby', KEYS[1], ARGV[3], -1)
        if held > 0 then
          redis.call('pexpire', KEYS[1], ARGV[2])
          return 0
        end
        redis.call('del', KEYS[1])
        redis.call(ARGV[4], KEYS[2], ARGV[1])
        return 1
        """
    RENEW = """
        if redis.call('hexists', KEYS[1], ARGV[2]) == 1 then
          redis.call('pexpire', KEYS[1], ARGV[1])
          return 1
        end
        return 0
        """

    def __init__(self, client, name, owner, lease=30_000):
        self.client = client
        self.name = name
        self.owner = owner
        self.lease = lease  # milliseconds
        self.channel = f"redisson_lock__channel:{{{name}}}"

    def try_take(self):
        """None if it was taken, else the milliseconds for which somebody else has it."""
        return self.client.eval(self.TAKE, 1, self.name, self.lease, self.owner)

    def take(self):
        left = self.try_take()
        if left is None:
            return
        with self.client.pubsub(ignore_subscribe_messages=True) as waiting:
            waiting.subscribe(self.channel)
            waiting.get_message(ignore_subscribe_messages=False, timeout=10)  # the confirmation
            while (left := self.try_take()) is not None:
                waiting.get_message(timeout=left / 1000)

    def give(self):
        """1 if it is free now, 0 if it is still held, None if it was not ours."""
        return self.client.eval(self.GIVE, 2, self.name, self.channel, 0, self.lease, self.owner,
                                "publish")

    def renew(self):
        return self.client.eval(self.RENEW, 1, self.name, self.lease, self.owner)

    def __enter__(self):
        self.take()
        return self

    def __exit__(self, *_):
        if self.give() is None:
            raise LockNotOwnedError("lost the lock")


class RedissonStyle(LockTestCase):
    def test_a_lock_is_reentrant_for_its_owner_only(self):
        mine = RedissonStyleLock(self.client, "lock", "node:1")
        other = RedissonStyleLock(self.open(), "lock", "node:2")
        self.assertIsNone(mine.try_take())
        self.assertIsNone(mine.try_take())
        self.assertTrue(29_000 < other.try_take() <= 30_000)
        self.assertEqual(self.client.hgetall("lock"), {b"node:1": b"2"})
        self.assertIsNone(other.give())
        self.assertEqual(mine.give(), 0)
        self.assertIsNotNone(other.try_take())
        self.assertEqual(mine.give(), 1)
        self.assertIsNone(mine.give())
        self.assertFalse(self.client.exists("lock"))
        self.assertIsNone(other.try_take())

    def test_a_watchdog_renews_the_lease(self):
        mine = RedissonStyleLock(self.client, "lock", "node:1", lease=20_000)
        mine.take()
        self.client.pexpire("lock", 5000)
        self.assertEqual(mine.renew(), 1)
        self.assertTrue(19_000 < self.client.pttl("lock") <= 20_000)
        self.assertEqual(RedissonStyleLock(self.client, "lock", "node:2").renew(), 0)

    def test_the_end_of_a_lease_frees_the_lock(self):
        RedissonStyleLock(self.client, "lock", "node:1", lease=100).take()
        other = RedissonStyleLock(self.client, "lock", "node:2")
        started = time.monotonic()
        other.take()  # nobody publishes: the remaining lease is waited for
        self.assertTrue(0.05 < time.monotonic() - started < 5)
        self.assertEqual(self.client.hgetall("lock"), {b"node:2": b"1"})

    def test_unlocking_wakes_a_waiter(self):
        mine = RedissonStyleLock(self.client, "lock", "node:1")
        mine.take()
        other = RedissonStyleLock(self.open(), "lock", "node:2")
        waiter = threading.Thread(target=other.take, daemon=True)
        waiter.start()
        support.wait_until(lambda: self.client.pubsub_numsub(mine.channel)[0][1] == 1, "a waiter")
        self.assertEqual(mine.give(), 1)
        waiter.join(5)
        self.assertFalse(waiter.is_alive())
        self.assertEqual(self.client.hgetall("lock"), {b"node:2": b"1"})

    def test_many_clients_take_turns(self):
        self.count_under_lock(8, 20, lambda client, number: RedissonStyleLock(
            client, "lock", f"node:{number}"))
        self.assertFalse(self.client.exists("lock"))


if __name__ == "__main__":
    support.main()

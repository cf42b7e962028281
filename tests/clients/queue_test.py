#!/usr/bin/python3
"""A task queue as Celery keeps one on Redis, with redis-py: BRPOP over priorities, what is in work in
a hash with its time in a sorted set, results with a time to live."""

import json
import threading
import time
import uuid

import redis

import support
from support import ServerTestCase

# Celery's names: one list per priority, waited for in this order.
QUEUES = ["celery", "celery\x06\x163", "celery\x06\x166", "celery\x06\x169"]


class Worker(threading.Thread):
    """Takes tasks until it is told to stop; fails every seventh on its first try."""

    def __init__(self, port, done):
        super().__init__()
        self.client = redis.Redis(port=port, socket_timeout=30)
        self.done = done
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                taken = self.client.brpop(QUEUES, timeout=1)
                if taken is not None:
                    self.work(json.loads(taken[1]))
        except BaseException as error:  # noqa: BLE001: told to the test
            self.failure = error
        finally:
            self.client.close()

    def work(self, task):
        tag = task["tag"]
        self.client.hset("unacked", tag, json.dumps(task))
        self.client.zadd("unacked_index", {tag: time.time()})
        if task["id"] % 7 == 0 and not task["retries"]:
            task["retries"] = 1
            self.client.lpush(QUEUES[0], json.dumps(task))
        else:
            self.client.setex(f"celery-task-meta-{tag}", 3600, json.dumps({"result": task["id"]}))
            self.done.append(task["id"])
        self.client.hdel("unacked", tag)
        self.client.zrem("unacked_index", tag)


class CeleryStyle(ServerTestCase):
    OPTIONS = ("--io-threads", "2")

    def setUp(self):
        super().setUp()
        self.client = redis.Redis(port=self.server.port, socket_timeout=30)
        self.addCleanup(self.client.close)

    def test_tasks_are_done_once_and_acknowledged(self):
        tasks, done = 1000, []
        workers = [Worker(self.server.port, done) for _ in range(8)]
        for worker in workers:
            worker.start()
        for number in range(tasks):
            task = {"id": number, "tag": str(uuid.uuid4()), "retries": 0}
            self.client.lpush(QUEUES[number % 4], json.dumps(task))
        support.wait_until(lambda: len(done) >= tasks, "all tasks", timeout=60)
        for worker in workers:
            worker.stopping.set()
        for worker in workers:
            worker.join()
            self.assertIsNone(worker.failure)
        self.assertEqual(sorted(done), list(range(tasks)))
        self.assertEqual(self.client.exists("unacked", "unacked_index", *QUEUES), 0)
        results = list(self.client.scan_iter("celery-task-meta-*", count=500))
        self.assertEqual(len(results), tasks)
        self.assertTrue(3500 < self.client.ttl(results[0]) <= 3600)

    def test_what_a_dead_worker_left_is_restored(self):
        """Tasks beyond their visibility timeout go back to the queue, oldest first."""
        now = time.time()
        for number in range(10):
            tag = f"tag:{number}"
            self.client.hset("unacked", tag, json.dumps({"id": number}))
            self.client.zadd("unacked_index", {tag: now - 3600 + 600 * number})
        late = self.client.zrevrangebyscore("unacked_index", now - 1800, 0, start=0, num=10)
        self.assertEqual(late, [b"tag:3", b"tag:2", b"tag:1", b"tag:0"])
        for tag in late:
            task = self.client.hget("unacked", tag)
            self.assertEqual(self.client.zrem("unacked_index", tag), 1)
            self.client.hdel("unacked", tag)
            self.client.rpush("celery", task)
        ids = [json.loads(self.client.brpop(QUEUES, timeout=1)[1])["id"] for _ in late]
        self.assertEqual(ids, [0, 1, 2, 3])
        self.assertEqual(self.client.hlen("unacked"), 6)
        self.assertEqual(self.client.zcard("unacked_index"), 6)

    def test_bindings_are_sets(self):
        self.client.sadd("_kombu.binding.celery", "celery\x06\x16\x06\x16celery")
        self.client.sadd("_kombu.binding.celery", "other\x06\x16\x06\x16other")
        self.client.srem("_kombu.binding.celery", "other\x06\x16\x06\x16other")
        self.assertEqual(self.client.smembers("_kombu.binding.celery"),
                         {b"celery\x06\x16\x06\x16celery"})


if __name__ == "__main__":
    support.main()

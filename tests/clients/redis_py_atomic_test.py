#!/usr/bin/python3
"""redis-py as Debian packages it (python3-redis): transactions, WATCH and scripts."""

import random

import redis

import support
from redis_py_case import Clients


class Transactions(Clients):
    def test_a_pipeline_is_a_transaction(self):
        pipeline = self.client.pipeline()
        pipeline.set("a", 1).incr("a").lpush("l", "x", "y").get("a").lrange("l", 0, -1)
        self.assertEqual(self.client.dbsize(), 0)
        self.assertEqual(pipeline.execute(), [True, 2, 2, b"2", [b"y", b"x"]])
        self.assertEqual(pipeline.execute(), [])

    def test_errors_of_commands_stay_with_them(self):
        self.client.set("text", "x")
        pipeline = self.client.pipeline().set("a", 1).incr("text").set("b", 2)
        done, error, after = pipeline.execute(raise_on_error=False)
        self.assertEqual((done, after), (True, True))
        self.assertIn("value is not an integer or out of range", str(error))
        pipeline.incr("a").lpush("text", "y")
        with self.assertRaisesRegex(redis.ResponseError, r"^Command # 2 \(LPUSH text y\) .*WRONG"):
            pipeline.execute()
        self.assertEqual(self.client.get("a"), b"2")

    def test_a_command_that_cannot_be_queued_aborts_all(self):
        pipeline = self.client.pipeline().set("a", 1)
        pipeline.execute_command("SET", "only-a-key")
        with self.assertRaisesRegex(redis.ResponseError, "wrong number of arguments for 'set'"):
            pipeline.execute()
        self.assertFalse(self.client.exists("a"))

    def test_a_watched_key_that_changed(self):
        other = self.open()
        for change in (lambda: other.set("k", 2), lambda: other.delete("k"),
                       lambda: other.expire("k", 100), other.flushall,
                       lambda: other.rename("other", "k"), lambda: other.swapdb(0, 1)):
            self.client.mset({"k": 1, "other": 1})
            with self.client.pipeline() as pipeline:
                pipeline.watch("k")
                self.assertEqual(pipeline.get("k"), b"1")
                change()
                pipeline.multi()
                pipeline.set("k", "lost")
                with self.assertRaises(redis.WatchError):
                    pipeline.execute()
            self.assertNotEqual(self.client.get("k"), b"lost")

    def test_a_watched_key_that_did_not_change(self):
        other = self.open()
        self.client.set("k", 1)
        with self.client.pipeline() as pipeline:
            pipeline.watch("k", "none")
            other.set("unrelated", 1)
            other.get("k")
            other.delete("nothing")
            pipeline.multi()
            pipeline.incr("k")
            self.assertEqual(pipeline.execute(), [2])
            pipeline.watch("k")
            other.set("k", 7)
            pipeline.unwatch()
            pipeline.incr("k")
            self.assertEqual(pipeline.execute(), [8])

    def test_a_watched_key_that_expires(self):
        self.client.psetex("k", 30, 1)
        with self.client.pipeline() as pipeline:
            pipeline.watch("k")
            support.wait_until(lambda: not self.client.exists("k"), "30 ms to pass")
            pipeline.multi()
            pipeline.set("k", "lost")
            with self.assertRaises(redis.WatchError):
                pipeline.execute()

    def test_transaction_tries_again_until_nothing_interferes(self):
        def increment(pipeline):
            current = int(pipeline.get("n") or 0)
            pipeline.multi()
            pipeline.set("n", current + 1)

        def work():
            client = self.open()
            for _ in range(15):
                client.transaction(increment, "n")

        support.in_threads([work] * 8)
        self.assertEqual(self.client.get("n"), b"120")

    def test_transfers_between_accounts_keep_the_sum(self):
        accounts = [f"account:{i}" for i in range(10)]
        self.client.mset(dict.fromkeys(accounts, 100))

        def transfer(seed):
            client, dice = self.open(), random.Random(seed)
            for _ in range(60):
                source, target = dice.sample(accounts, 2)
                amount = dice.randrange(1, 30)

                def move(pipeline, source=source, target=target, amount=amount):
                    covered = int(pipeline.get(source)) >= amount
                    pipeline.multi()
                    if covered:
                        pipeline.decrby(source, amount).incrby(target, amount)

                client.transaction(move, source, target)

        def look():
            client = self.open()
            for _ in range(150):
                balances = client.pipeline().mget(accounts).execute()[0]
                self.assertEqual(sum(map(int, balances)), 1000)

        support.in_threads([lambda seed=seed: transfer(seed) for seed in range(6)] + [look] * 2)
        balances = [int(balance) for balance in self.client.mget(accounts)]
        self.assertEqual(sum(balances), 1000)
        self.assertGreaterEqual(min(balances), 0)


class Scripts(Clients):
    def test_values_go_in_and_come_out(self):
        run = self.client.eval
        self.assertEqual(run("return {1, 2.9, 'x', true, false, {}, {{'y'}}}", 0),
                         [1, 2, b"x", 1, None, [], [[b"y"]]])
        self.assertEqual(run("return {1, nil, 3}", 0), [1])
        self.assertEqual(run("return {KEYS, ARGV}", 2, "a", b"\x00\xff", 1.5, -7),
                         [[b"a", b"\x00\xff"], [b"1.5", b"-7"]])
        self.assertIsNone(run("return redis.call('GET', 'none')", 0))
        self.assertEqual(run("return redis.status_reply('FINE')", 0), b"FINE")
        self.assertEqual(run("return redis.call('ZADD', 'z', 1.5, 'm')", 0), 1)
        self.assertEqual(run("return redis.call('ZRANGE', 'z', 0, -1, 'WITHSCORES')", 0),
                         [b"m", b"1.5"])
        self.assertEqual(run("return type(redis.call('PING')) .. redis.call('PING').ok", 0),
                         b"tablePONG")

    def test_errors_are_exceptions(self):
        for script, pattern in (
                ("return redis.error_reply('MY error')", "^MY error$"),
                ("return redis.call('NONSENSE')", "Unknown (Redis )?command called from script"),
                ("return redis.call('GET')", "Wrong number of args calling (Redis )?command"),
                ("redis.call('SET', 'k', 'x'); redis.call('INCR', 'k')", "not an integer"),
                ("return {", "Error compiling script"),
                ("x = 1", "(?i)attempt to modify a readonly table"),
                ("return x", "nonexistent global variable 'x'")):
            with self.subTest(script), self.assertRaisesRegex(redis.ResponseError, pattern):
                self.client.eval(script, 0)
        self.assertEqual(self.client.get("k"), b"x")  # what came before an error stays

    def test_what_a_script_may_not_do(self):
        for script in ("return os.execute('true')", "return io.open('/etc/passwd')",
                       "return require('os')", "return dofile('/etc/passwd')",
                       "return redis.call('SUBSCRIBE', 'c')", "return redis.call('MULTI')",
                       "return redis.call('WATCH', 'k')", "getmetatable(_G).__index = nil"):
            with self.subTest(script), self.assertRaises(redis.ResponseError):
                self.client.eval(script, 0)

    def test_registered_scripts_are_loaded_when_needed(self):
        script = self.client.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        self.assertEqual(script(keys=["n"], args=[5]), 5)
        self.assertEqual(self.client.script_exists(script.sha, "f" * 40), [True, False])
        self.client.script_flush()
        self.assertEqual(self.client.script_exists(script.sha), [False])
        self.assertEqual(script(keys=["n"], args=[5]), 10)
        self.assertEqual(script(keys=["n"], args=[5], client=self.open()), 15)
        self.assertEqual(self.client.evalsha(script.sha.upper(), 1, "n", 5), 20)
        with self.assertRaises(redis.exceptions.NoScriptError):
            self.client.evalsha("f" * 40, 0)

    def test_registered_scripts_in_pipelines(self):
        script = self.client.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        for transaction in (True, False):
            self.client.flushall()
            self.client.script_flush()
            pipeline = self.client.pipeline(transaction=transaction)
            script(keys=["n"], args=[1], client=pipeline)
            pipeline.get("n")
            script(keys=["n"], args=[10], client=pipeline)
            self.assertEqual(pipeline.execute(), [1, b"1", 11])

    def test_a_script_is_seen_whole_or_not_at_all(self):
        accounts = [f"account:{i}" for i in range(10)]
        self.client.mset(dict.fromkeys(accounts, 100))
        move = self.client.register_script(
            "if tonumber(redis.call('GET', KEYS[1])) >= tonumber(ARGV[1]) then"
            " redis.call('DECRBY', KEYS[1], ARGV[1]) redis.call('INCRBY', KEYS[2], ARGV[1]) end")
        undeclared = self.client.register_script(
            "local sum = 0 for i = 0, 9 do sum = sum + redis.call('GET', 'account:' .. i) end"
            " return sum")

        def transfer(seed):
            client, dice = self.open(), random.Random(seed)
            for _ in range(150):
                move(keys=dice.sample(accounts, 2), args=[dice.randrange(1, 30)], client=client)

        def look():
            client = self.open()
            for _ in range(150):
                self.assertEqual(undeclared(client=client), 1000)
                self.assertEqual(sum(map(int, client.mget(accounts))), 1000)

        support.in_threads([lambda seed=seed: transfer(seed) for seed in range(6)] + [look] * 2)
        self.assertEqual(undeclared(), 1000)

    def test_scripts_wake_blocked_clients_and_tell_watchers(self):
        blocked = self.open()
        popped = []

        def wait():
            popped.append(blocked.blpop("jobs", timeout=20))

        def push():
            support.wait_until(lambda: self.client.info("clients")["blocked_clients"] == 1, "BLPOP")
            self.client.eval("redis.call('RPUSH', KEYS[1], 'a', 'b')", 1, "jobs")

        support.in_threads([wait, push])
        self.assertEqual(popped, [(b"jobs", b"a")])
        with self.client.pipeline() as pipeline:
            pipeline.watch("jobs")
            blocked.eval("return redis.call('RPUSH', 'jobs', 'c')", 0)
            pipeline.multi()
            pipeline.set("k", "lost")
            with self.assertRaises(redis.WatchError):
                pipeline.execute()


if __name__ == "__main__":
    support.main()

#!/usr/bin/env python3
"""What clients on two loops see of a key is what one of them after the other would have seen."""

import random
import time
from functools import partial

import support
from linearizability import Operation, is_linearizable
from resp import OK, Error
from support import ServerTestCase, in_threads

CLIENTS = 10
NOT_AN_INTEGER = Error("ERR value is not an integer or out of range")


def string_model(state, command):
    """A string key: its bytes, or None."""
    name, *arguments = command
    if name == "GET":
        return state, state
    if name == "SET":
        return arguments[0], OK
    if name == "GETSET":
        return arguments[0], state
    if name == "SETNX":
        return (arguments[0], 1) if state is None else (state, 0)
    if name == "DEL":
        return None, int(state is not None)
    if name == "APPEND":
        joined = (state or b"") + arguments[0]
        return joined, len(joined)
    if name == "INCR":
        try:
            value = int(state or b"0") + 1
        except ValueError:
            return state, NOT_AN_INTEGER
        return b"%d" % value, value
    raise AssertionError(name)


def list_model(state, command):
    """A list key as a tuple of elements."""
    name, *arguments = command
    if name in ("LPUSH", "RPUSH"):
        state = (arguments[0], *state) if name == "LPUSH" else (*state, arguments[0])
        return state, len(state)
    if name == "LPOP":
        return state[1:], state[0] if state else None
    if name == "RPOP":
        return state[:-1], state[-1] if state else None
    if name == "LRANGE":
        return state, list(state)
    raise AssertionError(name)


def string_command(draw):
    value = b"%d" % draw.randrange(1000)
    return draw.choice([("GET",)] * 6 + [("SET", value), ("GETSET", value), ("SETNX", value), ("DEL",),
                                         ("APPEND", b"7"), ("INCR",), ("INCR",)])


def list_command(draw):
    value = b"%d" % draw.randrange(1000)
    return draw.choice([("LPUSH", value), ("RPUSH", value), ("LPOP",), ("RPOP",), ("LRANGE",)])


def request(command, key):
    name, *arguments = command
    return (name, key, 0, -1) if name == "LRANGE" else (name, key, *arguments)


class Checker(support.unittest.TestCase):
    """The judge himself."""

    def judge(self, *operations):
        return is_linearizable([Operation(*operation) for operation in operations], string_model, None)

    def test_one_after_the_other(self):
        self.assertTrue(self.judge((0, 1, ("SET", b"a"), OK), (2, 3, ("GET",), b"a")))

    def test_a_read_beside_a_write_may_see_either(self):
        write = (0, 10, ("SET", b"a"), OK)
        self.assertTrue(self.judge(write, (1, 2, ("GET",), None), (3, 4, ("GET",), b"a")))

    def test_a_stale_read_is_found(self):
        self.assertFalse(self.judge((0, 1, ("SET", b"a"), OK), (2, 3, ("GET",), None)))

    def test_going_back_is_found(self):
        write = (0, 10, ("SET", b"a"), OK)
        self.assertFalse(self.judge(write, (1, 2, ("GET",), b"a"), (3, 4, ("GET",), None)))

    def test_a_lost_update_is_found(self):
        self.assertFalse(self.judge((0, 5, ("INCR",), 1), (1, 6, ("INCR",), 1)))


class Linearizability(ServerTestCase):
    OPTIONS = ("--io-threads", "2")
    TIMEOUT = 600

    def record(self, key, draw_command, pause_between):
        """One history of `key` by CLIENTS clients that send random commands."""
        seed, history = support.seed(), []
        count = 400 if support.long_run() else 100

        def work(number):
            draw = random.Random(seed + number)
            with self.server.connect(timeout=30) as connection:
                for _ in range(count):
                    command = draw_command(draw)
                    call = time.monotonic_ns()
                    result = connection(*request(command, key))
                    history.append(Operation(call, time.monotonic_ns(), command, result))
                    if pause_between:
                        time.sleep(draw.random() * 0.001)

        in_threads([partial(work, number) for number in range(CLIENTS)])
        return history

    def check(self, draw_command, model, state):
        for round_number in range(20 if support.long_run() else 4):
            key = f"key:{round_number}"
            history = self.record(key, draw_command, pause_between=round_number % 2 == 1)
            ends = sorted(history, key=lambda operation: operation.call)
            overlapping = sum(a.end > b.call for a, b in zip(ends, ends[1:]))
            print(f"# {len(history)} operations, {overlapping} begun before the one in front was over")
            self.assertGreater(overlapping, len(history) // 20, "too little happened at once")
            self.assertTrue(is_linearizable(history, model, state))

    def test_strings(self):
        self.check(string_command, string_model, None)

    def test_lists(self):
        self.check(list_command, list_model, ())


if __name__ == "__main__":
    support.main()

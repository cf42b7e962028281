#!/usr/bin/env python3
"""Sends the same random commands to two servers and compares every reply.

    tests/clients/compare.py --server build/release/spinel-server --reference redis-server
    tests/clients/compare.py --seed 12345 --commands 3000       replays the first 3000 of a run

Commands come from GRAMMAR, group by group, over a small keyspace, so that they meet; some are then
damaged (an argument dropped, doubled or replaced). Half of the batches go over RESP2, half over
RESP3. After each batch the keyspaces are compared too. What may differ is named in LENIENT, with
the reason. The run is a function of its seed, which is printed; on a difference both servers are
emptied, so that one difference does not cause others.
"""

import argparse
import random
import shutil
import sys
import time

import support
from support import Error, Map, Simple

BATCH = 50  # commands sent at once to each server
DAMAGED = 0.05  # share of commands that are damaged
SHOWN = 20  # differences printed in full

MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)


class Generator:
    """Random commands. Each part of a GRAMMAR row is a literal or a method that yields arguments."""

    def __init__(self, seed, groups):
        self.dice = random.Random(seed)
        self.rows = [row for group in groups for row in GRAMMAR[group]]
        self.now = int(time.time())

    def command(self):
        """The next command as a list of bytes."""
        arguments = []
        for part in self.dice.choice(self.rows):
            arguments += self.expand(part)
        if self.dice.random() < DAMAGED:
            self.damage(arguments)
        return [support.to_bytes(argument) for argument in arguments]

    def expand(self, part):
        if not callable(part):
            return [part]
        made = part(self)
        return made if isinstance(made, list) else [made]

    def damage(self, arguments):
        position = self.dice.randrange(1, len(arguments) + 1)
        how = self.dice.randrange(3)
        if how == 0 and position < len(arguments):
            del arguments[position]
        elif how == 1:
            arguments.insert(position, self.garbage())
        elif position < len(arguments):
            arguments[position] = self.garbage()

    def garbage(self):
        return self.dice.choice((b"", b"abc", b"-1", b"1.5", b"1e3", b" 1", b"1 ", b"\x00\xff", b"*",
                                 b"NX", b"EX", str(MAX_INTEGER + 1), "0x10", "+1", "nan", "inf"))

    # The parts of a command. All take their randomness from self.dice, in order.

    def key(self):
        return f"key:{self.dice.randrange(12)}"

    def keys(self):
        return [self.key() for _ in range(self.dice.randrange(1, 6))]

    def pairs(self):
        return [part for _ in range(self.dice.randrange(1, 5)) for part in (self.key(), self.value())]

    def value(self):
        kind = self.dice.randrange(8)
        if kind <= 2:
            return self.integer()
        if kind == 3:
            return self.float()
        if kind == 4:
            return self.dice.randbytes(self.dice.randrange(40))
        if kind == 5:
            return b"x" * self.dice.randrange(300)
        return self.dice.choice((b"hello", b"hello world", b"", b"ohmytext", b"mynewtext", b"\r\n"))

    def integer(self):
        if self.dice.random() < 0.1:
            return self.dice.choice((MAX_INTEGER, MIN_INTEGER, MAX_INTEGER - 1, 2**31, -(2**31), 2**32))
        return self.dice.randrange(-100, 1000)

    def float(self):
        return self.dice.choice(("0.1", "-0.1", "3.0e3", "1e-5", "5.0", "1.5e300", "200", "-17.25",
                                 "0.30000000000000004", "1e17", "12345678901234567890"))

    def offset(self):
        return self.dice.choice((0, 1, 5, -1, -3, 100, -100, 7, 300))

    def setrange_offset(self):
        return self.dice.choice((0, 0, 1, 3, 10, 200, -1, 536870912))

    def seconds(self):
        """Relative time, far enough away that both servers agree what has expired; or not valid."""
        if self.dice.random() < 0.15:
            return self.dice.choice((0, -1, -1000, MAX_INTEGER, MIN_INTEGER, MAX_INTEGER // 1000))
        return self.dice.randrange(1000, 10_000_000)

    def milliseconds(self):
        if self.dice.random() < 0.15:
            return self.dice.choice((0, -1, -1000, MAX_INTEGER, MIN_INTEGER))
        return self.dice.randrange(1_000_000, 10_000_000_000)

    def unix_seconds(self):
        """Absolute time: in the past, which deletes, or far in the future."""
        if self.dice.random() < 0.15:
            return self.dice.choice((0, 1, -1, self.now - 100, MAX_INTEGER))
        return self.now + self.dice.randrange(1000, 10_000_000)

    def unix_milliseconds(self):
        if self.dice.random() < 0.15:
            return self.dice.choice((0, 1, -1, (self.now - 100) * 1000, MAX_INTEGER))
        return (self.now + self.dice.randrange(1000, 10_000_000)) * 1000 + self.dice.randrange(1000)

    def expiry(self):
        return self.dice.choice((
            lambda: ["EX", self.seconds()], lambda: ["PX", self.milliseconds()],
            lambda: ["EXAT", self.unix_seconds()], lambda: ["PXAT", self.unix_milliseconds()]))()

    def set_options(self):
        """Some of SET's options, in any order, compatible or not."""
        options = [option for option, chance in ((["NX"], 0.15), (["XX"], 0.15), (["GET"], 0.2),
                                                 (["KEEPTTL"], 0.1), (self.expiry(), 0.3))
                   if self.dice.random() < chance]
        self.dice.shuffle(options)
        return [self.any_case(word) for option in options for word in option]

    def getex_option(self):
        return self.dice.choice(([], ["PERSIST"], self.expiry(), self.expiry()))

    def expire_option(self):
        count = self.dice.choice((0, 0, 1, 1, 1, 2))
        return [self.any_case(option) for option in self.dice.sample(("NX", "XX", "GT", "LT"), count)]

    def copy_options(self):
        return self.dice.choice(([], ["REPLACE"], ["DB", self.database()],
                                 ["DB", self.database(), "REPLACE"]))

    def database(self):
        return self.dice.choice((0, 0, 0, 1, 1, 2, 15, 16, -1))

    def lcs_options(self):
        return self.dice.choice(([], ["LEN"], ["IDX"], ["IDX", "WITHMATCHLEN"],
                                 ["IDX", "MINMATCHLEN", self.dice.randrange(-1, 5)], ["IDX", "LEN"]))

    def pattern(self):
        return self.dice.choice(("*", "key:*", "key:1?", "key:[0-4]", "key:[^0-4]", "*:\\1", "k*y:*1",
                                 "", "key:[9-0]", "key:[1", "[", "\\", "**", "?ey:1", "KEY:*"))

    def type_name(self):
        return self.dice.choice(("string", "string", "hash", "STRING"))

    def flush_option(self):
        return self.dice.choice(([], ["SYNC"], ["ASYNC"]))

    def client_name(self):
        return self.dice.choice(("worker", "", "a b", "web-1", "\x7f", "x" * 50, "{tag}"))

    def any_case(self, word):
        return word.lower() if isinstance(word, str) and self.dice.random() < 0.2 else word


G = Generator

GRAMMAR = {
    "string": (
        ("SET", G.key, G.value, G.set_options),
        ("SET", G.key, G.value, G.set_options),
        ("SET", G.key, G.value),
        ("GET", G.key),
        ("GET", G.key),
        ("get", G.key),
        ("GETSET", G.key, G.value),
        ("GETDEL", G.key),
        ("GETEX", G.key, G.getex_option),
        ("SETNX", G.key, G.value),
        ("SETEX", G.key, G.seconds, G.value),
        ("PSETEX", G.key, G.milliseconds, G.value),
        ("MSET", G.pairs),
        ("MSETNX", G.pairs),
        ("MGET", G.keys),
        ("APPEND", G.key, G.value),
        ("STRLEN", G.key),
        ("GETRANGE", G.key, G.offset, G.offset),
        ("SUBSTR", G.key, G.offset, G.offset),
        ("SETRANGE", G.key, G.setrange_offset, G.value),
        ("INCR", G.key),
        ("DECR", G.key),
        ("INCRBY", G.key, G.integer),
        ("DECRBY", G.key, G.integer),
        ("INCRBYFLOAT", G.key, G.float),
        ("LCS", G.key, G.key, G.lcs_options),
    ),
    "generic": (
        ("DEL", G.keys),
        ("UNLINK", G.keys),
        ("EXISTS", G.keys),
        ("TOUCH", G.keys),
        ("TYPE", G.key),
        ("RENAME", G.key, G.key),
        ("RENAMENX", G.key, G.key),
        ("COPY", G.key, G.key, G.copy_options),
        ("MOVE", G.key, G.database),
        ("KEYS", G.pattern),
        ("SCAN", 0, "COUNT", 1000),
        ("SCAN", 0, "COUNT", 1000, "MATCH", G.pattern),
        ("SCAN", 0, "TYPE", G.type_name, "COUNT", 1000),
        ("RANDOMKEY",),
        ("DBSIZE",),
        ("OBJECT", "ENCODING", G.key),
        ("OBJECT", "REFCOUNT", G.key),
        ("OBJECT", "IDLETIME", G.key),
        ("OBJECT", "FREQ", G.key),
        ("MEMORY", "USAGE", G.key),
        ("SWAPDB", G.database, G.database),
        ("FLUSHDB", G.flush_option),
    ),
    "expiry": (
        ("EXPIRE", G.key, G.seconds, G.expire_option),
        ("PEXPIRE", G.key, G.milliseconds, G.expire_option),
        ("EXPIREAT", G.key, G.unix_seconds, G.expire_option),
        ("PEXPIREAT", G.key, G.unix_milliseconds, G.expire_option),
        ("TTL", G.key),
        ("PTTL", G.key),
        ("EXPIRETIME", G.key),
        ("PEXPIRETIME", G.key),
        ("PERSIST", G.key),
    ),
    "connection": (
        ("PING",),
        ("PING", G.value),
        ("ECHO", G.value),
        ("SELECT", G.database),
        ("CLIENT", "SETNAME", G.client_name),
        ("CLIENT", "GETNAME"),
        ("CLIENT", "ID"),
        ("CLIENT", "NO-EVICT", "on"),
        ("CLIENT", "NO-EVICT", "off"),
        ("CLIENT", "UNPAUSE"),
        ("CLIENT", "GETREDIR"),
        ("HELLO",),
        ("RESET",),
        ("PUBLISH", "nobody", G.value),
        ("AUTH", "default", G.value),
        ("AUTH", G.value),
        ("COMMAND", "COUNT", "nonsense"),
        ("COMMAND", "GETKEYS", "MSET", G.pairs),
        ("COMMAND", "GETKEYS", "GET", G.keys),
        ("COMMAND", "GETKEYS", "PING"),
        ("TIME",),
        ("NONSENSE", G.value),
    ),
}
# Connection and keyspace-wide commands would otherwise crowd out the data.
WEIGHTS = {"string": 10, "generic": 4, "expiry": 4, "connection": 1}


# ------------------------------------------------------------------------- what may differ, and why

def both_integers(ours, theirs):
    return isinstance(ours, int) and isinstance(theirs, int)


def close(tolerance):
    """Times read or set at slightly different moments; -1 and -2 are answers, not times."""
    def compare(ours, theirs):
        if both_integers(ours, theirs) and ours >= 0 and theirs >= 0:
            return abs(ours - theirs) <= tolerance
        return ours == theirs
    return compare


def same_elements(ours, theirs):
    """KEYS: the order is the hash table's own."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return sorted(ours) == sorted(theirs)
    return ours == theirs


def same_scan(ours, theirs):
    """SCAN with a COUNT beyond the keyspace: all in one reply, in any order."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return ours[0] == theirs[0] and sorted(ours[1]) == sorted(theirs[1])
    return ours == theirs


def scan_is_comparable(command):
    """Cursors are each server's own (and 7.0 takes negative ones); unknown types came to be errors."""
    words = [word.lower() for word in command]
    types = [words[i + 1] for i, word in enumerate(words[:-1]) if word == b"type"]
    return words[1:2] == [b"0"] and all(name in (b"string", b"hash") for name in types)


def both_or_neither(ours, theirs):
    """RANDOMKEY, MEMORY USAGE: any key, any size; null and errors must agree."""
    if ours is None or theirs is None or isinstance(theirs, Error):
        return ours == theirs
    return type(ours) is type(theirs)


def same_encoding(ours, theirs):
    """int is promised; where embstr ends and raw begins is not (it moved in Valkey 8.1)."""
    def simplified(reply):
        return b"raw" if reply == b"embstr" else reply
    return simplified(ours) == simplified(theirs)


def same_hello(ours, theirs):
    """Server name, version and id are each server's own."""
    def essential(reply):
        if not isinstance(reply, list):
            return reply
        pairs = reply if isinstance(reply, Map) else list(zip(reply[::2], reply[1::2]))
        return type(reply), [pair for pair in pairs if pair[0] not in (b"server", b"version", b"id")]
    return essential(ours) == essential(theirs)


LENIENT = {
    "TTL": close(2),
    "PTTL": close(2000),
    "EXPIRETIME": close(2),
    "PEXPIRETIME": close(2000),
    "OBJECT IDLETIME": close(10),
    "OBJECT ENCODING": same_encoding,
    "OBJECT REFCOUNT": both_or_neither,  # Redis shares small integers
    "KEYS": same_elements,
    "SCAN": same_scan,
    "RANDOMKEY": both_or_neither,
    "MEMORY USAGE": both_or_neither,
    "HELLO": same_hello,
    "CLIENT ID": both_or_neither,
    "TIME": lambda ours, theirs: len(ours) == len(theirs) == 2,
}

def name_of(command):
    """"OBJECT ENCODING" for containers, else the command's name."""
    words = [word.decode("latin-1").upper() for word in command[:2]]
    return " ".join(words) if words[0] in ("OBJECT", "MEMORY", "CLIENT", "COMMAND") else words[0]


def agree(command, ours, theirs):
    compare = LENIENT.get(name_of(command))
    if compare is same_scan and not scan_is_comparable(command):
        return True
    if isinstance(ours, Error) or isinstance(theirs, Error) or compare is None:
        return type(ours) is type(theirs) and ours == theirs
    return compare(ours, theirs)


# ------------------------------------------------------------------------------------------ the run

class Comparison:
    """Two servers, a RESP2 and a RESP3 connection to each, and what they disagreed on."""

    def __init__(self, server, reference):
        self.connections = {protocol: (server.connect(protocol, 30), reference.connect(protocol, 30))
                            for protocol in (2, 3)}
        self.differences = []
        self.compared = 0

    def run(self, generator, commands):
        for first in range(0, commands, BATCH):
            protocol = generator.dice.choice((2, 3))
            batch = [generator.command() for _ in range(min(BATCH, commands - first))]
            self.compare_batch(first, protocol, batch)

    def compare_batch(self, first, protocol, batch):
        pair = self.connections[protocol]
        if protocol == 3:  # RESET may have gone back to RESP2
            for connection in pair:
                connection("HELLO", 3)
        ours, theirs = (connection.pipeline(batch) for connection in pair)
        for i, (command, our, their) in enumerate(zip(batch, ours, theirs)):
            self.compared += 1
            if not agree(command, our, their):
                self.record(first + i, protocol, command, our, their, batch[:i])
                return
        our, their = (self.keyspace(connection) for connection in pair)
        if our != their:
            different = {item for item in set(our) ^ set(their)}
            self.record(first + len(batch), protocol, [b"(keyspace after the batch)"],
                        sorted(different & set(our)), sorted(different & set(their)), batch)

    @staticmethod
    def keyspace(connection):
        """Every key of the selected database with its value and whether it has a time to live."""
        names = sorted(connection("KEYS", "*"))
        values = connection("MGET", *names) if names else []
        ttls = connection.pipeline(("TTL", name) for name in names)
        return [(name, value, ttl >= 0) for name, value, ttl in zip(names, values, ttls)]

    def record(self, number, protocol, command, ours, theirs, before):
        touched = [earlier for earlier in before if set(earlier[1:]) & set(command[1:])][-8:]
        self.differences.append((number, protocol, command, ours, theirs, touched))
        for pair in self.connections.values():
            for connection in pair:
                connection("FLUSHALL")
                connection("SELECT", 0)

    def print_differences(self):
        for number, protocol, command, ours, theirs, touched in self.differences[:SHOWN]:
            print(f"# command {number}, RESP{protocol}: {printable(command)}")
            print(f"#   ours:   {ours!r:.500}")
            print(f"#   theirs: {theirs!r:.500}")
            for earlier in touched:
                print(f"#   after   {printable(earlier)}")


def printable(command):
    return " ".join(repr(argument)[1:] for argument in command)[:500]


def weighted(groups):
    return [group for group in groups for _ in range(WEIGHTS[group])]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default=str(support.server_binary()))
    parser.add_argument("--reference", default=support.reference_binary())
    parser.add_argument("--groups", default=",".join(GRAMMAR), help="default: %(default)s")
    parser.add_argument("--commands", type=int, default=500_000 if support.long_run() else 50_000)
    parser.add_argument("--seed", type=int, help="replays a run")
    arguments = parser.parse_args()
    arguments.groups = arguments.groups.split(",")
    if not set(arguments.groups) <= set(GRAMMAR):
        parser.error(f"groups are {', '.join(GRAMMAR)}")
    return arguments


def main():
    arguments = parse_arguments()
    if not arguments.reference or not shutil.which(arguments.reference):
        print("ok - compare # SKIP no reference server")
        return 0
    if support.lacks("comparable-to-redis", arguments.server):
        print("ok - compare # SKIP the stand-in differs from the reference")
        return 0
    seed = support.seed() if arguments.seed is None else arguments.seed
    with (support.Server(binary=arguments.server) as server,
          support.Server(binary=arguments.reference) as reference):
        comparison = Comparison(server, reference)
        try:
            comparison.run(Generator(seed, weighted(arguments.groups)), arguments.commands)
        except (OSError, support.Closed) as failure:
            print(f"not ok - compare: {failure} after {comparison.compared} commands; "
                  f"--seed {seed} replays them")
            return 1
    comparison.print_differences()
    verdict = "not ok" if comparison.differences else "ok"
    print(f"{verdict} - compare: {comparison.compared} commands, {len(comparison.differences)} "
          f"differences; --seed {seed} replays them")
    return 1 if comparison.differences else 0


if __name__ == "__main__":
    sys.exit(main())

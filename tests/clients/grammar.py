"""Random commands for compare.py: what each command's arguments look like, group by group."""

import random
import time

from collection_grammar import COLLECTION_GRAMMAR, COLLECTION_WEIGHTS, THRESHOLDS, CollectionParts
from encoded_grammar import ENCODED_GRAMMAR, ENCODED_WEIGHTS, EncodedParts
from resp import to_bytes

DAMAGED = 0.05  # share of commands that are damaged
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)


class Generator(CollectionParts, EncodedParts):
    """Random commands. A part of a GRAMMAR row is a literal or a method that yields arguments."""

    def __init__(self, seed, groups):
        self.dice = random.Random(seed)
        self.rows = [row for group in groups for row in GRAMMAR[group]]
        self.now = int(time.time())

    def command(self):
        """The next command as a list of bytes."""
        arguments = []
        for part in self.dice.choice(self.rows):
            arguments += self.expand(part)
        # A damaged blocking command might wait for ever; scores of these sets must not differ.
        fragile = str(arguments[0]).startswith("B") or (
            len(arguments) > 1 and str(arguments[1]).startswith("lex:"))
        if self.dice.random() < DAMAGED and not fragile:
            self.damage(arguments)
        return [to_bytes(argument) for argument in arguments]

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
        return self.dice.choice((b"", b"abc", b"-1", b"1.5", b"1e3", b" 1", b"1 ", b"\x00\xff",
                                 b"*", b"NX", b"EX", str(MAX_INTEGER + 1), "0x10", "+1", "nan",
                                 "inf"))

    def threshold(self):
        """The name and a new value of one of the encodings' limits."""
        name = self.dice.choice(sorted(THRESHOLDS))
        return name, self.dice.choice(THRESHOLDS[name])

    # The parts of a command. All take their randomness from self.dice, in order.

    def key(self):
        return f"key:{self.dice.randrange(12)}"

    def keys(self):
        return [self.key() for _ in range(self.dice.randrange(1, 6))]

    def pairs(self):
        count = self.dice.randrange(1, 5)
        return [part for _ in range(count) for part in (self.key(), self.value())]

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
            return self.dice.choice((MAX_INTEGER, MIN_INTEGER, MAX_INTEGER - 1,
                                     2**31, -(2**31), 2**32))
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
        chosen = self.dice.sample(("NX", "XX", "GT", "LT"), count)
        return [self.any_case(option) for option in chosen]

    def copy_options(self):
        return self.dice.choice(([], ["REPLACE"], ["DB", self.database()],
                                 ["DB", self.database(), "REPLACE"]))

    def database(self):
        return self.dice.choice((0, 0, 0, 1, 1, 2, 15, 16, -1))

    def lcs_options(self):
        return self.dice.choice(([], ["LEN"], ["IDX"], ["IDX", "WITHMATCHLEN"], ["IDX", "LEN"],
                                 ["IDX", "MINMATCHLEN", self.dice.randrange(-1, 5)]))

    def pattern(self):
        return self.dice.choice(("*", "key:*", "key:1?", "key:[0-4]", "key:[^0-4]", "*:\\1",
                                 "k*y:*1", "", "key:[9-0]", "key:[1", "[", "\\", "**", "?ey:1",
                                 "KEY:*"))

    def type_name(self):
        return self.dice.choice(("string", "hash", "list", "set", "zset", "STRING"))

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
        ("COPY", G.any_key, G.any_key, G.copy_options),
        ("COPY", G.any_key, G.any_key, G.copy_options),
        ("MOVE", G.any_key, G.database),
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
    ),
    "expiry": (
        ("EXPIRE", G.any_key, G.seconds, G.expire_option),
        ("PEXPIRE", G.any_key, G.milliseconds, G.expire_option),
        ("EXPIREAT", G.any_key, G.unix_seconds, G.expire_option),
        ("PEXPIREAT", G.any_key, G.unix_milliseconds, G.expire_option),
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
        ("HELLO",),
        ("RESET",),
        ("PUBLISH", "nobody", G.value),
        ("AUTH", "default", G.value),
        ("AUTH", G.value),
        ("COMMAND", "COUNT", "nonsense"),
        ("COMMAND", "GETKEYS", "MSET", G.pairs),
        ("COMMAND", "GETKEYS", "GET", G.keys),
        ("COMMAND", "GETKEYS", "PING"),
        ("SWAPDB", G.database, G.database),
        ("FLUSHDB", G.flush_option),
        ("TIME",),
        ("NONSENSE", G.value),
    ),
}
GRAMMAR |= COLLECTION_GRAMMAR | ENCODED_GRAMMAR
# Connection and keyspace-wide commands would otherwise crowd out the data.
WEIGHTS = {"string": 10, "generic": 4, "expiry": 4, "connection": 1} | COLLECTION_WEIGHTS \
    | ENCODED_WEIGHTS

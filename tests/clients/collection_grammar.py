"""Random commands on hashes, lists, sets and sorted sets: the larger half of grammar.py.

Keys are named for the type that they usually hold, so that most commands meet what they expect.
Left out by name, because Redis 7.0 lacks them: HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT HTTL HPTTL
HEXPIRETIME HPEXPIRETIME HPERSIST HGETEX HSETEX HGETDEL, HSCAN NOVALUES, ZSCAN NOSCORES, ZRANK and
ZREVRANK WITHSCORE.
"""

MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)

# Of each encoding limit, values that random collections cross again and again. Redis 7.0 has no
# packed sets: set-max-listpack-* are set on our side alone.
THRESHOLDS = {
    "hash-max-listpack-entries": (0, 4, 8, 512),
    "hash-max-listpack-value": (4, 16, 64),
    "list-max-listpack-size": (1, 2, 4, 8, -1, -2),
    "set-max-intset-entries": (0, 4, 8, 512),
    "set-max-listpack-entries": (0, 4, 8, 128),
    "set-max-listpack-value": (4, 16, 64),
    "zset-max-listpack-entries": (0, 4, 8, 128),
    "zset-max-listpack-value": (4, 16, 64),
}


class CollectionParts:
    """Parts of commands; mixed into grammar.Generator, whose randomness they use."""

    def own_or_any(self, kind):
        """A key of that kind, or now and then of another."""
        if self.dice.random() < 0.04:
            return self.any_key()
        return f"{kind}:{self.dice.randrange(5)}"

    def any_key(self):
        kind = self.dice.choice(("key", "hash", "list", "set", "zset"))
        return f"{kind}:{self.dice.randrange(5)}"

    def any_keys(self):
        return [self.any_key() for _ in range(self.dice.randrange(1, 5))]

    def hash_key(self):
        return self.own_or_any("hash")

    def list_key(self):
        return self.own_or_any("list")

    def set_key(self):
        return self.own_or_any("set")

    def zset_key(self):
        return self.own_or_any("zset")

    def lex_key(self):
        """A sorted set whose scores are all the same: what ranges by name are defined for."""
        return f"lex:{self.dice.randrange(3)}"

    def lex_scored(self):
        return [part for _ in range(self.dice.randrange(1, 9)) for part in (0, self.element())]

    def set_or_zset_key(self):
        return self.own_or_any(self.dice.choice(("set", "zset", "zset")))

    def set_keys(self):
        return [self.set_key() for _ in range(self.dice.randrange(1, 5))]

    def counted(self, key):
        count = self.dice.randrange(1, 4)
        return [self.off_by_one(count), *(key() for _ in range(count))]

    def counted_sets(self):
        return self.counted(self.set_key)

    def counted_lists(self):
        return self.counted(self.list_key)

    def counted_zsets(self):
        return self.counted(self.set_or_zset_key)

    def counted_zsets_only(self):
        return self.counted(self.zset_key)

    def off_by_one(self, count):
        return count if self.dice.random() < 0.95 else self.dice.choice((count - 1, count + 1, -1))

    # -- Elements: few, so that they meet; integers, short and long texts, bytes.

    def element(self):
        kind = self.dice.randrange(16)
        if kind < 7:
            return self.dice.randrange(30)
        if kind < 13:
            return f"m{self.dice.randrange(30)}"
        if kind == 13:
            return self.dice.choice((b"", b"\x00\xff", "007", "-0", "1.5", "+1", b"\r\n"))
        if kind == 14:
            return self.dice.choice((MAX_INTEGER, MIN_INTEGER, 70_000, -70_000, 2**40))
        return chr(ord("a") + self.dice.randrange(3)) * self.dice.choice((10, 30, 64, 65, 300))

    def elements(self):
        count = self.dice.randrange(20, 60) if self.dice.random() < 0.05 else self.dice.randrange(1, 6)
        return [self.element() for _ in range(count)]

    def field(self):
        return f"f{self.dice.randrange(20)}" if self.dice.random() < 0.8 else self.element()

    def fields(self):
        return [self.field() for _ in range(self.dice.randrange(1, 5))]

    def field_values(self):
        count = self.dice.randrange(15, 40) if self.dice.random() < 0.05 else self.dice.randrange(1, 5)
        return [part for _ in range(count) for part in (self.field(), self.value())]

    def few(self):
        """A count or an index."""
        if self.dice.random() < 0.1:
            return self.dice.choice((0, -1, -2, 100, -100, MAX_INTEGER, MIN_INTEGER))
        return self.dice.randrange(12)

    def index(self):
        return self.dice.randrange(-12, 12) if self.dice.random() < 0.95 else self.few()

    def removal_count(self):
        """The lowest integer is refused since 7.2."""
        return max(self.index(), MIN_INTEGER + 1)

    def random_count(self):
        """For commands that draw at random: not so many below zero that it takes long."""
        return self.dice.choice(([], [self.dice.randrange(-20, 20)],
                                 [self.dice.choice((0, 100, MAX_INTEGER, MIN_INTEGER))]))

    def pop_count(self):
        return self.dice.choice(([], [], [self.dice.randrange(5)], [self.few()]))

    def limit(self):
        return self.dice.choice(([], ["LIMIT", self.few()]))

    def offset_limit(self):
        return self.dice.choice(([], [], ["LIMIT", self.dice.randrange(-1, 6),
                                          self.dice.randrange(-2, 8)]))

    def with_values(self):
        return self.dice.choice(([], [], ["WITHVALUES"]))

    def scan_options(self):
        return ["COUNT", 1000, *self.dice.choice(([], ["MATCH", self.member_pattern()]))]

    def member_pattern(self):
        return self.dice.choice(("*", "m*", "m?", "f1*", "[0-9]", "1?", "", "a*", "[^m]*"))

    # -- Lists

    def side(self):
        return self.any_case(self.dice.choice(("LEFT", "RIGHT")))

    def where(self):
        return self.any_case(self.dice.choice(("BEFORE", "AFTER")))

    def count_option(self):
        return self.dice.choice(([], ["COUNT", self.few()]))

    def lpos_options(self):
        options = [option for option in (["RANK", self.dice.randrange(-3, 4)],
                                         ["COUNT", self.dice.randrange(4)],
                                         ["MAXLEN", self.dice.randrange(10)])
                   if self.dice.random() < 0.4]
        return [word for option in options for word in option]

    def soon(self):
        """How long a blocking command waits where there is nothing."""
        return self.dice.choice(("0.001", "0.002"))

    # -- Sorted sets

    def score(self):
        kind = self.dice.randrange(10)
        if kind < 7:
            return self.dice.randrange(-5, 15)
        if kind == 7:
            return self.dice.choice(("0.5", "-1.25", "3.75", "0.1", "1e17", "1.1e300", "-0"))
        return self.dice.choice(("inf", "-inf", "+inf", "0", "1e3"))

    def scored(self):
        count = self.dice.randrange(15, 40) if self.dice.random() < 0.05 else self.dice.randrange(1, 5)
        return [part for _ in range(count) for part in (self.score(), self.element())]

    def zadd_options(self):
        chosen = [option for option, chance in (("NX", 0.1), ("XX", 0.1), ("GT", 0.1), ("LT", 0.1),
                                                ("CH", 0.2)) if self.dice.random() < chance]
        self.dice.shuffle(chosen)
        return [self.any_case(option) for option in chosen]

    def score_bound(self):
        bound = self.dice.choice(("-inf", "+inf", self.dice.randrange(-5, 15), "0.5"))
        return f"({bound}" if self.dice.random() < 0.25 else bound

    def lex_bound(self):
        return self.dice.choice(("-", "+", "-", "+", "[m1", "(m1", "[m5", "(m7", "[", "[a", "m"))

    def with_scores(self):
        return self.dice.choice(([], ["WITHSCORES"]))

    def zrange(self):
        """Bounds and options of ZRANGE and ZRANGESTORE without WITHSCORES."""
        if self.dice.random() < 0.5:
            words = [self.index(), self.index()]
        else:
            words = [self.score_bound(), self.score_bound(), "BYSCORE", *self.offset_limit()]
        return words + self.dice.choice(([], ["REV"]))

    def zrange_lex(self):
        return [self.lex_bound(), self.lex_bound(), "BYLEX", *self.offset_limit(),
                *self.dice.choice(([], ["REV"]))]

    def zrange_scores(self):
        return self.zrange() + self.with_scores()

    def aggregation(self):
        """WEIGHTS for any number of keys that counted() makes; sometimes not for all."""
        words = []
        if self.dice.random() < 0.3:
            words += ["WEIGHTS"] + [self.dice.choice((1, 2, -1, 0, "0.5", "inf"))
                                    for _ in range(self.dice.randrange(1, 4))]
        if self.dice.random() < 0.4:
            words += ["AGGREGATE", self.dice.choice(("SUM", "MIN", "MAX"))]
        return words

    def min_or_max(self):
        return self.any_case(self.dice.choice(("MIN", "MAX")))

    # -- SORT

    def sort_key(self):
        return self.own_or_any(self.dice.choice(("list", "set", "zset")))

    def sort_options(self):
        options = [option for option, chance in ((["ALPHA"], 0.6), (["DESC"], 0.3), (["ASC"], 0.1),
                                                 (["LIMIT", self.few(), self.few()], 0.3),
                                                 (["GET", "#"], 0.2), (["GET", "key:*"], 0.1),
                                                 (["GET", "hash:*->f1"], 0.1))
                   if self.dice.random() < chance]
        self.dice.shuffle(options)
        return [word for option in options for word in option]


C = CollectionParts

COLLECTION_GRAMMAR = {
    "hash": (
        ("HSET", C.hash_key, C.field_values),
        ("HSET", C.hash_key, C.field_values),
        ("HSET", C.hash_key, C.field_values),
        ("HMSET", C.hash_key, C.field_values),
        ("HSETNX", C.hash_key, C.field, C.element),
        ("HGET", C.hash_key, C.field),
        ("HMGET", C.hash_key, C.fields),
        ("HGETALL", C.hash_key),
        ("HKEYS", C.hash_key),
        ("HVALS", C.hash_key),
        ("HLEN", C.hash_key),
        ("HEXISTS", C.hash_key, C.field),
        ("HSTRLEN", C.hash_key, C.field),
        ("HDEL", C.hash_key, C.fields),
        ("HDEL", C.hash_key, C.fields),
        ("HINCRBY", C.hash_key, C.field, C.index),
        ("HINCRBYFLOAT", C.hash_key, C.field, C.score),
        ("HRANDFIELD", C.hash_key),
        ("HRANDFIELD", C.hash_key, C.few, C.with_values),
        ("HSCAN", C.hash_key, 0, C.scan_options),
    ),
    "list": (
        ("LPUSH", C.list_key, C.elements),
        ("RPUSH", C.list_key, C.elements),
        ("RPUSH", C.list_key, C.elements),
        ("LPUSHX", C.list_key, C.elements),
        ("RPUSHX", C.list_key, C.elements),
        ("LPOP", C.list_key, C.pop_count),
        ("RPOP", C.list_key, C.pop_count),
        ("LLEN", C.list_key),
        ("LRANGE", C.list_key, C.index, C.index),
        ("LRANGE", C.list_key, 0, -1),
        ("LINDEX", C.list_key, C.index),
        ("LSET", C.list_key, C.index, C.element),
        ("LINSERT", C.list_key, C.where, C.element, C.element),
        ("LREM", C.list_key, C.removal_count, C.element),
        ("LTRIM", C.list_key, C.index, C.index),
        ("LPOS", C.list_key, C.element, C.lpos_options),
        ("LMOVE", C.list_key, C.list_key, C.side, C.side),
        ("RPOPLPUSH", C.list_key, C.list_key),
        ("LMPOP", C.counted_lists, C.side, C.count_option),
    ),
    "set": (
        ("SADD", C.set_key, C.elements),
        ("SADD", C.set_key, C.elements),
        ("SADD", C.set_key, C.elements),
        ("SREM", C.set_key, C.elements),
        ("SREM", C.set_key, C.elements),
        ("SISMEMBER", C.set_key, C.element),
        ("SMISMEMBER", C.set_key, C.elements),
        ("SMEMBERS", C.set_key),
        ("SCARD", C.set_key),
        ("SPOP", C.set_key, C.pop_count),
        ("SRANDMEMBER", C.set_key, C.random_count),
        ("SMOVE", C.set_key, C.set_key, C.element),
        ("SINTER", C.set_keys),
        ("SUNION", C.set_keys),
        ("SDIFF", C.set_keys),
        ("SINTERSTORE", C.set_key, C.set_keys),
        ("SUNIONSTORE", C.set_key, C.set_keys),
        ("SDIFFSTORE", C.set_key, C.set_keys),
        ("SINTERCARD", C.counted_sets, C.limit),
        ("SSCAN", C.set_key, 0, C.scan_options),
    ),
    "zset": (
        ("ZADD", C.zset_key, C.zadd_options, C.scored),
        ("ZADD", C.zset_key, C.scored),
        ("ZADD", C.zset_key, C.scored),
        ("ZADD", C.zset_key, C.zadd_options, "INCR", C.score, C.element),
        ("ZINCRBY", C.zset_key, C.score, C.element),
        ("ZREM", C.zset_key, C.elements),
        ("ZSCORE", C.zset_key, C.element),
        ("ZMSCORE", C.zset_key, C.elements),
        ("ZCARD", C.zset_key),
        ("ZCOUNT", C.zset_key, C.score_bound, C.score_bound),
        ("ZLEXCOUNT", C.lex_key, C.lex_bound, C.lex_bound),
        ("ZRANK", C.zset_key, C.element),
        ("ZREVRANK", C.zset_key, C.element),
        ("ZRANGE", C.zset_key, C.zrange_scores),
        ("ZRANGE", C.zset_key, C.zrange_scores),
        ("ZADD", C.lex_key, C.lex_scored),
        ("ZADD", C.lex_key, C.lex_scored),
        ("ZREM", C.lex_key, C.elements),
        ("ZRANGE", C.lex_key, C.zrange_lex, C.with_scores),
        ("ZRANGESTORE", C.lex_key, C.lex_key, C.zrange_lex),
        ("ZREVRANGE", C.zset_key, C.index, C.index, C.with_scores),
        ("ZRANGEBYSCORE", C.zset_key, C.score_bound, C.score_bound, C.with_scores, C.offset_limit),
        ("ZREVRANGEBYSCORE", C.zset_key, C.score_bound, C.score_bound, C.with_scores,
         C.offset_limit),
        ("ZRANGEBYLEX", C.lex_key, C.lex_bound, C.lex_bound, C.offset_limit),
        ("ZREVRANGEBYLEX", C.lex_key, C.lex_bound, C.lex_bound, C.offset_limit),
        ("ZRANGESTORE", C.zset_key, C.zset_key, C.zrange),
        ("ZREMRANGEBYRANK", C.zset_key, C.index, C.index),
        ("ZREMRANGEBYSCORE", C.zset_key, C.score_bound, C.score_bound),
        ("ZREMRANGEBYLEX", C.lex_key, C.lex_bound, C.lex_bound),
        ("ZPOPMIN", C.zset_key, C.pop_count),
        ("ZPOPMAX", C.zset_key, C.pop_count),
        ("ZMPOP", C.counted_zsets_only, C.min_or_max, C.count_option),
        ("ZRANDMEMBER", C.zset_key),
        ("ZRANDMEMBER", C.zset_key, C.few, C.with_scores),
        ("ZUNION", C.counted_zsets, C.aggregation, C.with_scores),
        ("ZINTER", C.counted_zsets, C.aggregation, C.with_scores),
        ("ZDIFF", C.counted_zsets, C.with_scores),
        ("ZUNIONSTORE", C.zset_key, C.counted_zsets, C.aggregation),
        ("ZINTERSTORE", C.zset_key, C.counted_zsets, C.aggregation),
        ("ZDIFFSTORE", C.zset_key, C.counted_zsets),
        ("ZINTERCARD", C.counted_zsets, C.limit),
        ("ZSCAN", C.zset_key, 0, C.scan_options),
    ),
    "blocking": (  # all of them answer at once or very soon
        ("BLPOP", C.list_key, C.list_key, C.soon),
        ("BRPOP", C.list_key, C.soon),
        ("BLMOVE", C.list_key, C.list_key, C.side, C.side, C.soon),
        ("BRPOPLPUSH", C.list_key, C.list_key, C.soon),
        ("BLMPOP", C.soon, C.counted_lists, C.side, C.count_option),
        ("BZPOPMIN", C.zset_key, C.zset_key, C.soon),
        ("BZPOPMAX", C.zset_key, C.soon),
        ("BZMPOP", C.soon, C.counted_zsets_only, C.min_or_max, C.count_option),
    ),
    "sort": (
        ("SORT", C.sort_key, C.sort_options),
        ("SORT_RO", C.sort_key, C.sort_options),
        ("SORT", C.sort_key, C.sort_options, "STORE", C.list_key),
    ),
    "collections": (  # what does not care for the type
        ("DEL", C.any_keys),
        ("UNLINK", C.any_key),
        ("EXISTS", C.any_keys),
        ("TYPE", C.any_key),
        ("RENAME", C.any_key, C.any_key),
        ("RENAMENX", C.any_key, C.any_key),
        ("OBJECT", "ENCODING", C.any_key),
        ("OBJECT", "ENCODING", C.any_key),
        ("SET", C.any_key, C.element),
        ("GET", C.any_key),
        ("TTL", C.any_key),
        ("PERSIST", C.any_key),
    ),
}
COLLECTION_WEIGHTS = {"hash": 8, "list": 8, "set": 8, "zset": 6, "blocking": 1, "sort": 3,
                      "collections": 4}

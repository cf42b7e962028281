"""What may differ between the replies of two servers to one command, and why."""

from resp import Error, Map, Simple

TYPE_NAMES = (b"string", b"hash", b"list", b"set", b"zset")


def both_integers(ours, theirs):
    return isinstance(ours, int) and isinstance(theirs, int)


def close(tolerance):
    """Times read or set at slightly different moments; -1 and -2 are answers, not times."""
    def compare(ours, theirs):
        if both_integers(ours, theirs) and ours >= 0 and theirs >= 0:
            return abs(ours - theirs) <= tolerance
        return ours == theirs
    return compare


def frozen(reply):
    """A reply as something that can be compared and sorted, its scores as numbers."""
    if isinstance(reply, list):
        return (type(reply).__name__, tuple(frozen(part) for part in reply))
    if isinstance(reply, tuple):
        return tuple(frozen(part) for part in reply)
    return repr(reply)


def same_elements(ours, theirs):
    """The order is the hash table's own."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return type(ours) is type(theirs) and sorted(map(frozen, ours)) == sorted(map(frozen, theirs))
    return ours == theirs


def pairs(reply):
    """Fields with their values, as pairs in either protocol."""
    if isinstance(reply, Map) or not isinstance(reply, list) or len(reply) % 2 != 0:
        return reply
    return type(reply)(zip(reply[::2], reply[1::2]))


def same_pairs(ours, theirs):
    return same_elements(pairs(ours), pairs(theirs))


def number(reply):
    """A score as a number: 7.0 prints 0.1 as 0.10000000000000001, and where a sorted set is packed
    Redis forgets the sign of -0."""
    try:
        return repr(float(reply) + 0.0) if isinstance(reply, (bytes, float)) else reply
    except ValueError:
        return reply


def numbers(reply):
    if isinstance(reply, list):
        return type(reply)(numbers(part) for part in reply)
    return number(reply)


def same_scores(ours, theirs):
    """Members and scores in their order; scores are compared as numbers."""
    return ours == theirs or frozen(numbers(ours)) == frozen(numbers(theirs))


def same_scan(ours, theirs):
    """SCAN with a COUNT beyond the keyspace: all in one reply, in any order."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return ours[0] == theirs[0] and same_elements(ours[1], theirs[1])
    return ours == theirs


def same_pair_scan(ours, theirs):
    """HSCAN and ZSCAN, likewise."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return ours[0] == theirs[0] and same_pairs(numbers(ours[1]), numbers(theirs[1]))
    return ours == theirs


def scan_is_comparable(command):
    """Cursors are each server's own, and 7.0 takes negative ones and types that do not exist."""
    words = [word.lower() for word in command]
    types = [words[i + 1] for i, word in enumerate(words[:-1]) if word == b"type"]
    cursor = words[1:2] if words[0] == b"scan" else words[2:3]
    return cursor == [b"0"] and all(name in TYPE_NAMES for name in types)


def both_or_neither(ours, theirs):
    """RANDOMKEY, MEMORY USAGE: any key, any size; null and errors must agree."""
    if ours is None or theirs is None or isinstance(theirs, Error):
        return ours == theirs
    return type(ours) is type(theirs)


def same_encoding(ours, theirs, kind):
    """Where embstr ends and raw begins is not promised (it moved in Valkey 8.1). Packed sets and
    packed lists came with 7.2, where 7.0 has hash tables and chains; and a set that was big may
    have become small again in different ways."""
    if kind == Simple("string"):
        return [ours, theirs].count(b"int") != 1
    if kind == Simple("list"):
        return theirs == b"quicklist" and ours in (b"quicklist", b"listpack")
    if kind == Simple("zset"):
        # SORT alone unpacks one there; and ZADD's number of pairs decides since 7.2, before they are
        # found to be there already.
        return {ours, theirs} <= {b"skiplist", b"listpack"}
    if kind == Simple("set"):
        # Likewise SADD's number of members, which may be one another's equals.
        return (theirs == b"hashtable" or ours == b"hashtable" or ours == theirs) and (
            ours in (b"hashtable", b"listpack", b"intset"))
    if kind == Simple("hash"):
        # A long value that is refused in the end (HSETNX) unpacks a hash there.
        return {ours, theirs} <= {b"listpack", b"hashtable"}
    return ours == theirs


def same_shape(ours, theirs):
    """As many elements, whichever."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return type(ours) is type(theirs) and len(ours) == len(theirs)
    return (ours is None) == (theirs is None) and not isinstance(ours, list)


def drawn_from(ours, theirs, everything):
    """What is drawn at random: as many on both sides, in the same shape, and all of it there."""
    def shape(reply):
        if isinstance(reply, list):
            return [shape(part) for part in reply]
        return None if reply is None else "element"

    def flat(reply):
        if isinstance(reply, (list, tuple)):
            return {number(leaf) for part in reply for leaf in flat(part)}
        return {number(reply)}
    return shape(ours) == shape(theirs) and (not ours or flat(ours) <= flat(everything))


def same_order(ours, theirs):
    """SORT ALPHA compares up to the first NUL in Redis, and all bytes here."""
    if isinstance(ours, list) and any(b"\0" in part for part in ours if part):
        return same_elements(ours, theirs)
    return ours == theirs


# What must be known to judge a reply: this is asked of our server first, about the same key.
PROBES = {
    "OBJECT ENCODING": lambda key: ("TYPE", key),
    "SRANDMEMBER": lambda key: ("SMEMBERS", key),
    "HRANDFIELD": lambda key: ("HGETALL", key),
    "ZRANDMEMBER": lambda key: ("ZRANGE", key, 0, -1, "WITHSCORES"),
}


def same_hello(ours, theirs):
    """Server name, version and id are each server's own."""
    def essential(reply):
        if not isinstance(reply, list):
            return reply
        pairs = reply if isinstance(reply, Map) else list(zip(reply[::2], reply[1::2]))
        own = (b"server", b"version", b"id")
        return type(reply), [pair for pair in pairs if pair[0] not in own]
    return essential(ours) == essential(theirs)


LENIENT = {
    "TTL": close(2),
    "PTTL": close(2000),
    "EXPIRETIME": close(2),
    "PEXPIRETIME": close(2000),
    "OBJECT IDLETIME": both_or_neither,  # Redis keeps none for the integers it shares
    "SORT": same_order,
    "SORT_RO": same_order,
    "OBJECT ENCODING": same_encoding,
    "SRANDMEMBER": drawn_from,
    "HRANDFIELD": drawn_from,
    "ZRANDMEMBER": drawn_from,
    "SPOP": same_shape,
    "OBJECT REFCOUNT": both_or_neither,  # Redis shares small integers
    "KEYS": same_elements,
    "SCAN": same_scan,
    "SSCAN": same_scan,
    "HSCAN": same_pair_scan,
    "ZSCAN": same_pair_scan,
    "HGETALL": same_pairs,
    **dict.fromkeys(("HKEYS", "HVALS", "SMEMBERS", "SINTER", "SUNION", "SDIFF"), same_elements),
    **dict.fromkeys((
        "ZADD", "ZINCRBY", "ZSCORE", "ZMSCORE", "ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE",
        "ZREVRANGEBYSCORE", "ZPOPMIN", "ZPOPMAX", "BZPOPMIN", "BZPOPMAX", "ZMPOP", "BZMPOP",
        "ZUNION", "ZINTER", "ZDIFF"), same_scores),
    "RANDOMKEY": both_or_neither,
    # Redis measures a key that has expired and is not removed yet; here it is gone.
    "MEMORY USAGE": lambda ours, theirs: ours is None or both_or_neither(ours, theirs),
    "HELLO": same_hello,
    "CLIENT ID": both_or_neither,
    "COMMAND COUNT": both_integers,
    "DBSIZE": close(5),  # keys that have expired but are not removed yet count too
    "TIME": lambda ours, theirs: len(ours) == len(theirs) == 2,
}

# Commands whose errors may differ: both must refuse, but not with the same text; or we alone refuse.
ERRORS_DIFFER = {
    "COMMAND GETKEYS": "Redis 7.0 wants an argument more than 7.2 does",
    "LCS": "Redis looks at the keys before it reads the options",
    **dict.fromkeys(("ZRANK", "ZREVRANK"), "7.2 has an option more"),
}
WE_REFUSE = {
    "GETEX": "Redis looks at the expiry only when the key exists; we read all arguments first",
}


def name_of(command):
    """"OBJECT ENCODING" for containers, else the command's name."""
    words = [word.decode("latin-1").upper() for word in command[:2]]
    return " ".join(words) if words[0] in ("OBJECT", "MEMORY", "CLIENT", "COMMAND") else words[0]


def agree(command, ours, theirs, probed=None):
    compare = LENIENT.get(name_of(command))
    if compare in (same_scan, same_pair_scan) and not scan_is_comparable(command):
        return True
    if isinstance(ours, Error) and isinstance(theirs, Error) and name_of(command) in ERRORS_DIFFER:
        return True
    if isinstance(ours, Error) and theirs is None and name_of(command) in WE_REFUSE:
        return True
    if isinstance(ours, Error) or isinstance(theirs, Error) or compare is None:
        return type(ours) is type(theirs) and ours == theirs
    if name_of(command) in PROBES:
        return compare(ours, theirs, probed)
    return compare(ours, theirs)

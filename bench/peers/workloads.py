"""Hashes, lists, sets and sorted sets: what redis-benchmark runs against them, and how they are filled."""

import random
import socket

from peers.load import VALUE_BYTES, request

BATCH = 200  # commands per pipeline of a fill
PER_COMMAND = 100  # members per command of a fill
SMALL_HASHES = 100_000
LONG_LIST = 1000
VALUE = b"x" * VALUE_BYTES
ITEM = b"x" * 16
NUMBER = "__rand_int__"  # redis-benchmark puts a number of 12 digits here


def member(number):
    return b"m:%012d" % number


class Workload:
    """A command for redis-benchmark, and what must be there when a run of `requests` requests begins."""

    def __init__(self, label, words, prepare, anew=False):
        """prepare(connection, requests, keys); anew: before every run, not only the first."""
        self.label, self.words, self.prepare, self.anew = label, words, prepare, anew


def send(connection, commands):
    """Sends an iterable of requests in pipelines; every reply must be one line and no error."""
    batch = []
    for command in commands:
        batch.append(command)
        if len(batch) == BATCH:
            flush(connection, batch)
            batch = []
    flush(connection, batch)


def flush(connection: socket.socket, batch):
    connection.sendall(b"".join(batch))
    got = b""
    while got.count(b"\r\n") < len(batch):
        piece = connection.recv(1 << 16)
        if not piece:
            raise RuntimeError("the server closed the connection of the fill")
        got += piece
    if b"-" in got:
        raise RuntimeError(f"a fill was answered {got[got.index(b'-'):][:200]!r}")


def delete(connection, key):
    send(connection, [request(b"DEL", key)])


def in_groups(count, size=PER_COMMAND):
    return (range(first, min(first + size, count)) for first in range(0, count, size))


# -- Fills of the workloads.

def small_hashes(connection, _requests, keys):
    fields = [word for i in range(8) for word in (b"field:%d" % i, ITEM)]
    send(connection, (request(b"HSET", b"hash:%012d" % number, *fields)
                      for number in range(min(keys, SMALL_HASHES))))


def no_list(connection, _requests, _keys):
    delete(connection, b"list")


def list_of(connection, count):
    delete(connection, b"list")
    send(connection, (request(b"RPUSH", b"list", *[ITEM] * len(group)) for group in in_groups(count)))


def list_to_drain(connection, requests, _keys):
    list_of(connection, requests)


def long_list(connection, _requests, _keys):
    list_of(connection, LONG_LIST)


def no_set(connection, _requests, _keys):
    delete(connection, b"set")


def set_of(connection, count):
    delete(connection, b"set")
    send(connection, (request(b"SADD", b"set", *map(member, group)) for group in in_groups(count)))


def set_to_drain(connection, requests, _keys):
    set_of(connection, requests)


def big_set(connection, _requests, keys):
    set_of(connection, keys)


def no_zset(connection, _requests, _keys):
    delete(connection, b"zset")


def zset_of(connection, count, key=b"zset", name=member):
    """Members with scores in no order."""
    delete(connection, key)
    scores = list(range(count))
    random.Random(1).shuffle(scores)
    send(connection, (request(b"ZADD", key, *(word for number in group
                                              for word in (b"%d.5" % scores[number], name(number))))
                      for group in in_groups(count)))


def zset_to_drain(connection, requests, _keys):
    zset_of(connection, requests)


def big_zset(connection, _requests, keys):
    zset_of(connection, keys)


WORKLOADS = {
    "hash": (
        Workload("HSET", ("HSET", f"hash:{NUMBER}", "field:3", VALUE.decode()), small_hashes),
        Workload("HGET", ("HGET", f"hash:{NUMBER}", "field:5"), small_hashes),
        Workload("HGETALL", ("HGETALL", f"hash:{NUMBER}"), small_hashes),
    ),
    "list": (
        Workload("LPUSH", ("LPUSH", "list", ITEM.decode()), no_list, anew=True),
        Workload("RPOP", ("RPOP", "list"), list_to_drain, anew=True),
        Workload("LRANGE 100", ("LRANGE", "list", "0", "99"), long_list),
    ),
    "set": (
        Workload("SADD", ("SADD", "set", f"m:{NUMBER}"), no_set, anew=True),
        Workload("SISMEMBER", ("SISMEMBER", "set", f"m:{NUMBER}"), big_set),
        Workload("SPOP", ("SPOP", "set"), set_to_drain, anew=True),
    ),
    "zset": (
        Workload("ZADD", ("ZADD", "zset", NUMBER, f"m:{NUMBER}"), no_zset, anew=True),
        Workload("ZRANGE 10", ("ZRANGE", "zset", "1000", "1009"), big_zset),
        Workload("ZRANK", ("ZRANK", "zset", f"m:{NUMBER}"), big_zset),
        Workload("ZPOPMIN", ("ZPOPMIN", "zset"), zset_to_drain, anew=True),
    ),
}


# -- What memory is measured of: members of 10 bytes.

def short_member(number):
    return b"m%09d" % number


def many_hashes(connection, count):
    fields = [word for i in range(8) for word in (b"field%d" % i, b"value%d" % i)]
    send(connection, (request(b"HSET", b"hsh:%012d" % number, *fields) for number in range(count)))


def one_hash(connection, count):
    send(connection, (request(b"HSET", b"one", *(word for number in group
                                                 for word in (short_member(number),) * 2))
                      for group in in_groups(count)))


def one_set(connection, count):
    send(connection, (request(b"SADD", b"one", *map(short_member, group))
                      for group in in_groups(count)))


def one_zset(connection, count):
    zset_of(connection, count, b"one", short_member)


# By label: the fill of (connection, count), and by which figure its bytes are divided.
FILLS = {
    "hashes of 8 fields": many_hashes,
    "one hash": one_hash,
    "one set": one_set,
    "one sorted set": one_zset,
}

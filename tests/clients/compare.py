#!/usr/bin/env python3
"""Sends the same random commands to two servers and compares every reply.

    tests/clients/compare.py --server build/release/spinel-server --reference redis-server
    tests/clients/compare.py --seed 12345 --commands 3000       replays the first 3000 of a run

Commands come from grammar.py, group by group, over a small keyspace, so that they meet; some are
then damaged (an argument dropped, doubled or replaced). Half of the batches go over RESP2, half
over RESP3. After each batch the keyspaces are compared too. What may differ is named in LENIENT,
with the reason. The run is a function of its seed, which is printed; on a difference both
servers are emptied, so that one difference does not cause others.
"""

import argparse
import shutil
import sys

import support
from resp import Closed, Error, Map
from grammar import GRAMMAR, WEIGHTS, Generator

BATCH = 50  # commands sent at once to each server
SHOWN = 20  # differences printed in full


# What may differ between the two servers, and why.

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
    """Cursors are each server's own, and 7.0 takes negative ones and types that do not exist."""
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
        own = (b"server", b"version", b"id")
        return type(reply), [pair for pair in pairs if pair[0] not in own]
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
}
WE_REFUSE = {
    "GETEX": "Redis looks at the expiry only when the key exists; we read all arguments first",
}


def name_of(command):
    """"OBJECT ENCODING" for containers, else the command's name."""
    words = [word.decode("latin-1").upper() for word in command[:2]]
    return " ".join(words) if words[0] in ("OBJECT", "MEMORY", "CLIENT", "COMMAND") else words[0]


def agree(command, ours, theirs):
    compare = LENIENT.get(name_of(command))
    if compare is same_scan and not scan_is_comparable(command):
        return True
    if isinstance(ours, Error) and isinstance(theirs, Error) and name_of(command) in ERRORS_DIFFER:
        return True
    if isinstance(ours, Error) and theirs is None and name_of(command) in WE_REFUSE:
        return True
    if isinstance(ours, Error) or isinstance(theirs, Error) or compare is None:
        return type(ours) is type(theirs) and ours == theirs
    return compare(ours, theirs)


class Comparison:
    """Two servers, a RESP2 and a RESP3 connection to each, and what they disagreed on."""

    def __init__(self, server, reference):
        self.connections = {
            protocol: (server.connect(protocol, 30), reference.connect(protocol, 30))
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
        except (OSError, Closed) as failure:
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

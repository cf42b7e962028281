#!/usr/bin/env python3
"""Sends the same random commands to two servers and compares every reply.

    tests/clients/compare.py --server build/release/spinel-server --reference redis-server
    tests/clients/compare.py --seed 12345 --commands 3000       replays the first 3000 of a run
    tests/clients/compare.py --groups set,zset --long           1,000,000 commands on sets

Commands come from grammar.py, group by group, over a small keyspace, so that they meet; some are
then damaged (an argument dropped, doubled or replaced). The limits of the small encodings are low
and change, so that collections go through all their forms. Half of the batches go over RESP2, half
over RESP3. After each batch the keyspaces are compared too. What may differ is named in leniency.py,
with the reason; after SPOP the reference is made to hold what our server left over. The run is a
function of its seed, which is printed; on a difference both servers are emptied, so that one
difference does not cause others.
"""

import argparse
import shutil
import sys

import support
from grammar import GRAMMAR, WEIGHTS, Generator
from leniency import PROBES, agree, name_of, numbers, pairs
from resp import Closed, Error

BATCH = 50  # commands sent at once to each server
TUNED = 0.1  # share of batches before which a limit of an encoding changes
SHOWN = 20  # differences printed in full


# How a whole value is read, by the name of its type, and brought into a form that can be compared.
READERS = {
    "string": (("GET",), lambda value: value),
    "list": (("LRANGE", 0, -1), lambda value: value),
    "hash": (("HGETALL",), lambda value: sorted(pairs(value))),
    "set": (("SMEMBERS",), sorted),
    "zset": (("ZRANGE", 0, -1, "WITHSCORES"), numbers),
}


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
            if generator.dice.random() < TUNED:
                self.tune(*generator.threshold())
            batch = [generator.command() for _ in range(min(BATCH, commands - first))]
            self.compare_batch(first, protocol, batch)

    def tune(self, name, value):
        """Sets a limit of an encoding on both sides; the reference may not know it."""
        ours, theirs = (connection("CONFIG", "SET", name, value)
                        for connection in self.connections[2])
        known = not name.startswith("set-max-listpack")
        if isinstance(ours, Error) or (known and isinstance(theirs, Error)):
            self.record(self.compared, 2, [b"CONFIG", b"SET", name.encode()], ours, theirs, [])

    def compare_batch(self, first, protocol, batch):
        pair = self.connections[protocol]
        if protocol == 3:  # RESET may have gone back to RESP2
            for connection in pair:
                connection("HELLO", 3)
        begin = 0
        while begin < len(batch):
            pops = (i for i in range(begin, len(batch)) if name_of(batch[i]) == "SPOP")
            end = next(pops, len(batch) - 1) + 1
            if not self.compare_part(first, protocol, batch, range(begin, end)):
                return
            begin = end
        our, their = (self.keyspace(connection) for connection in pair)
        if our != their:
            self.record(first + len(batch), protocol, [b"(keyspace after the batch)"],
                        [item for item in our if item not in their],
                        [item for item in their if item not in our], batch)

    def compare_part(self, first, protocol, batch, part):
        """Compares the commands whose numbers are in `part`; the last may be an SPOP."""
        pair = self.connections[protocol]
        probed, ours = self.ask_ours(pair[0], [batch[i] for i in part])
        theirs = pair[1].pipeline(batch[i] for i in part)
        for i, our, their in zip(part, ours, theirs):
            self.compared += 1
            if not agree(batch[i], our, their, probed.get(i - part.start)):
                self.record(first + i, protocol, batch[i], our, their, batch[:i])
                return False
            if name_of(batch[i]) == "SPOP":
                self.follow_pop(pair[1], batch[i], our, their)
        return True

    @staticmethod
    def ask_ours(connection, commands):
        """The replies, and what was asked before some of the commands to judge theirs."""
        asked = []
        for number, command in enumerate(commands):
            key = command[2:3] if name_of(command) == "OBJECT ENCODING" else command[1:2]
            if name_of(command) in PROBES and key:
                asked.append((number, PROBES[name_of(command)](key[0])))
            asked.append((None, command))
        replies = list(zip(asked, connection.pipeline(command for _, command in asked)))
        probed = {number: reply for (number, _), reply in replies if number is not None}
        return probed, [reply for (number, _), reply in replies if number is None]

    @staticmethod
    def follow_pop(reference, command, ours, theirs):
        """The reference gets back what it has popped, and loses what our server did."""
        if ours is None or isinstance(ours, Error):
            return
        ours, theirs = (set(reply) if isinstance(reply, list) else {reply}
                        for reply in (ours, theirs))
        if theirs - ours:
            reference("SADD", command[1], *sorted(theirs - ours))
            reference("SREM", command[1], *sorted(ours - theirs))

    @staticmethod
    def keyspace(connection):
        """Every key of the selected database with its value and whether it has a time to live."""
        names = sorted(connection("KEYS", "*"))
        types = [reply.text for reply in connection.pipeline(("TYPE", name) for name in names)]
        values = connection.pipeline((READERS[kind][0][0], name, *READERS[kind][0][1:])
                                     for name, kind in zip(names, types))
        ttls = connection.pipeline(("TTL", name) for name in names)
        return [(name, kind, READERS[kind][1](value), ttl >= 0)
                for name, kind, value, ttl in zip(names, types, values, ttls)]

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
    parser.add_argument("--commands", type=int, help="default: 50,000, with --long 1,000,000")
    parser.add_argument("--long", action="store_true", default=support.long_run())
    parser.add_argument("--seed", type=int, help="replays a run")
    arguments = parser.parse_args()
    arguments.groups = arguments.groups.split(",")
    if arguments.commands is None:
        arguments.commands = 1_000_000 if arguments.long else 50_000
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

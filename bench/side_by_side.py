#!/usr/bin/env python3
"""Measures our server beside redis-server in the same run: CPU per request, bytes per key, member and connection.

Servers are pinned to one CPU with --io-threads 1, redis-benchmark to another. What is compared is the server's
own CPU time per request (utime + stime), not the rate, which the client limits; the rate is in the result files.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

from peers import encryption, measure, report
from peers.server import Server, version

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ("redis", "ours")
COLLECTIONS = ("hash", "list", "set", "zset")
KINDS = ("speed", "memory", "idle", *COLLECTIONS, "collection-memory", "messaging", "tls")


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server-a", default="redis-server", metavar="PATH", help="the peer (redis-server)")
    parser.add_argument("--server-b", default=os.path.join(ROOT, "build/release/spinel-server"), metavar="PATH",
                        help="ours (build/release/spinel-server)")
    parser.add_argument("--only", action="append", choices=KINDS,
                        help="measure only this; may be repeated. speed is that of GET and SET, hash to zset that of "
                        "the commands on such values, messaging that of scripts, transactions and PUBLISH, "
                        "tls that of GET and SET over TLS")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each speed run; medians count (5)")
    parser.add_argument("--scale", type=float, default=1.0,
                        help="multiplies the requests of each run, which are 200,000 to 4,000,000")
    parser.add_argument("--quick", action="store_true", help="3 rounds of a quarter of the requests: a first look")
    parser.add_argument("--keys", type=int, default=1_000_000, help="keys in the store (1000000)")
    parser.add_argument("--connections", type=int, default=10_000, help="idle connections (10000)")
    parser.add_argument("--floor", metavar="FLOOR.C", help="also compile and run this server of constants: floor PORT")
    parser.add_argument("--results", default=os.path.join(ROOT, "bench/results"), metavar="FOLDER",
                        help="where raw figures go (bench/results)")
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.scale = 3, options.scale / 4
    options.only = options.only or list(KINDS)
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        parser.error("it takes two CPUs: one for the server, one for the client")
    options.server_cpu, options.client_cpu = cpus[:2]
    for path in (options.server_a, options.server_b):
        if not shutil.which(path):
            parser.error(f"{path} is not there")
    return options


def progress(text):
    print(f"... {text}", file=sys.stderr, flush=True)


def compile_floor(source, folder):
    binary = os.path.join(folder, "floor")
    subprocess.run(["cc", "-O2", "-w", "-o", binary, source], check=True)
    return binary


def run_speed(options, paths):
    candidates = [Server(name, path, options.server_cpu) for name, path in zip(NAMES, paths)]
    with tempfile.TemporaryDirectory(prefix="spinel-floor-") as folder:
        if options.floor:
            floor = compile_floor(options.floor, folder)
            candidates.append(Server("floor", floor, options.server_cpu, arguments=lambda port: [str(port)]))
        return measure.speed(candidates, options, progress)


def run(options, paths):
    results = {"machine": report.machine(),
               "versions": {name: version(path) for name, path in zip(NAMES, paths)}}
    makers = [measure.fresh(name, path, options.server_cpu) for name, path in zip(NAMES, paths)]
    if "memory" in options.only:
        results["memory"] = measure.memory(makers, options, progress, ttl=False)
        results["memory with TTL"] = measure.memory(makers, options, progress, ttl=True)
    if "idle" in options.only:
        results["idle connection"] = measure.idle(makers, options, progress)
    if "speed" in options.only:
        results["speed"] = run_speed(options, paths)
    for kind in COLLECTIONS:
        if kind in options.only:
            cells = measure.collection_speed(makers, kind, options, progress)
            results["speed"] = results.get("speed", {}) | cells
    if "messaging" in options.only:
        results["speed"] = results.get("speed", {}) | measure.messaging_speed(makers, options, progress)
    if "tls" in options.only:
        cells = encryption.speed(list(zip(NAMES, paths)), options, progress)
        results["speed"] = results.get("speed", {}) | cells
    if "collection-memory" in options.only:
        results["collection memory"] = measure.collection_memory(makers, options, progress)
    return results


def main():
    options = parse_options()
    # Absolute: a server's working folder is not ours.
    paths = [os.path.abspath(shutil.which(path)) for path in (options.server_a, options.server_b)]
    if os.getloadavg()[0] > 0.5:
        progress(f"this machine is busy (load {os.getloadavg()[0]:.1f}); figures will be rough")
    results = run(options, paths)
    table = report.rows(results, NAMES)
    print(report.as_text(report.HEADER, table))
    rates = report.rate_rows(results, NAMES)
    if rates:
        print("\n" + report.as_text(report.rate_header(results), rates))
    file = report.write(options.results, results, NAMES, shlex.join(["./dev", "bench", *sys.argv[1:]]))
    print(f"\nraw figures: {os.path.relpath(file)} and .json beside it")
    return 1 if options.check and not report.all_met(table) else 0


if __name__ == "__main__":
    sys.exit(main())

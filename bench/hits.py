#!/usr/bin/env python3
"""Hit ratios: traces replayed as applications use a cache (GET, and after a miss SET) against our server with each of
its policies and redis-server with allkeys-lru and allkeys-lfu, beside what exact policies would make of them.

    ./dev bench hits                          made-up traces: 1,000,000 keys, 5,000,000 requests; takes hours
    ./dev bench hits --quick                  a tenth of that
    ./dev bench hits --trace FILE             a trace of libCacheSim's, oracleGeneral (.zst too) or csv

A cache's size is a number of keys: a share of the different keys that the trace asks for. Each server's maxmemory is
set such that it holds that many; how many it held is in the table. The first fifth of a trace warms the cache up and is
not counted. Objects all have the same size, whatever a trace says of them.

The servers' wall clock follows the trace, which lasts an hour by it: Redis's LRU knows ages in seconds and its LFU
forgets by the minute, and in a replay at full speed neither would see time pass.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

from peers import hit_report, report
from peers.server import Server, redis_arguments, version

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOL = os.path.join(ROOT, "build/release/hit_ratio")
CLOCK_LIBRARY = "libtrace_clock.so"  # beside it
PEER_POLICIES = ("allkeys-lru", "allkeys-lfu")
OUR_POLICIES = ("allkeys-lru", "allkeys-lfu", "allkeys-random", "allkeys-s3", "volatile-lru", "volatile-lfu",
                "volatile-random", "volatile-ttl", "volatile-s3")
SHARES = (0.1, 1.0, 10.0)  # percent of the footprint
WARM_UP = 0.2
TTL_SECONDS = 1_000_000  # of every key under a volatile policy
# Values are larger in small caches, so that a limit is about keys more than about the server itself.
LEAST_BYTES = 4 << 20
VALUE_BYTES = (1024, 8192)


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev bench hits", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server-a", default="redis-server", metavar="PATH", help="the peer (redis-server)")
    parser.add_argument("--server-b", default=os.path.join(ROOT, "build/release/spinel-server"), metavar="PATH",
                        help="ours (build/release/spinel-server)")
    parser.add_argument("--quick", action="store_true", help="100,000 keys, unless --keys says otherwise")
    parser.add_argument("--keys", type=int, help="among which popularity is distributed (1000000)")
    parser.add_argument("--requests", type=int, help="of a made-up trace (5 for each key)")
    parser.add_argument("--seed", type=int, default=1, help="of made-up traces (1)")
    parser.add_argument("--only", action="append", metavar="NAME", help="this made-up trace only; may be repeated")
    parser.add_argument("--trace", action="append", default=[], metavar="FILE",
                        help="this file instead of made-up traces (beside those of --only); may be repeated. "
                        "*.csv and *.txt, with .zst or not, are csv, all others oracleGeneral")
    parser.add_argument("--trace-params", default="", metavar="TEXT",
                        help="how csv is laid out, as libCacheSim takes it: obj-id-col=5,delimiter=;,has-header=true "
                        "(found by the header's names, or the second column)")
    parser.add_argument("--limit", type=int, help="requests of a file that are used (all)")
    parser.add_argument("--share", action="append", type=float, metavar="PERCENT",
                        help="size of the cache in percent of the footprint; may be repeated (0.1, 1 and 10)")
    parser.add_argument("--policy", action="append", metavar="NAME",
                        help="this policy of ours only; may be repeated (all but noeviction)")
    parser.add_argument("--minutes", type=int, default=60,
                        help="that a trace lasts by the servers' clock (60); 0: theirs is the real one")
    parser.add_argument("--window", type=int, metavar="REQUESTS",
                        help="requests under way at once (an eighth of the cache's keys, 16 to 256)")
    parser.add_argument("--tool", default=TOOL, metavar="PATH", help="the client (build/release/hit_ratio)")
    parser.add_argument("--results", default=os.path.join(ROOT, "bench/results"), metavar="FOLDER",
                        help="where figures and plots go (bench/results)")
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    options = parser.parse_args()
    options.keys = options.keys or (100_000 if options.quick else 1_000_000)
    options.requests = options.requests or 5 * options.keys
    options.share = options.share or list(SHARES)
    options.policy = options.policy or list(OUR_POLICIES)
    # Speed is not measured: processes may run where there is room.
    options.cpus = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    for path in (options.server_a, options.server_b, options.tool):
        if not shutil.which(path):
            parser.error(f"{path} is not there")
    for path in options.trace:
        if not os.path.exists(path):
            parser.error(f"{path} is not there")
        if path.endswith(".zst") and not shutil.which("zstd"):
            parser.error(f"{path} takes the program zstd")
    return parser, options


def progress(text):
    print(f"... {text}", file=sys.stderr, flush=True)


def ask_tool(options, *words, stdin=subprocess.DEVNULL):
    done = subprocess.run([options.tool, *map(str, words)], stdin=stdin, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join([os.path.basename(options.tool), *map(str, words)])} failed")
    return json.loads(done.stdout)


def convert(options, path, out):
    """A file, whatever its form, as oracleGeneral at `out`."""
    plain = path.removesuffix(".zst")
    form = "csv" if plain.endswith((".csv", ".txt")) else "oracleGeneral"
    limit = ("--limit", options.limit) if options.limit else ()
    words = ("convert", form, "--layout", options.trace_params, *limit, "--out", out)
    if plain == path:
        with open(path, "rb") as file:
            return ask_tool(options, *words, stdin=file)
    # zstd is stopped by the closed pipe when a limit leaves a part unread.
    with subprocess.Popen(["zstd", "-dcq", "--", path], stdout=subprocess.PIPE) as unpack:
        figures = ask_tool(options, *words, stdin=unpack.stdout)
        unpack.stdout.close()
    if unpack.returncode != 0 and not options.limit:
        raise SystemExit(f"zstd cannot unpack {path}")
    return figures


def traces(parser, options):
    """(name, what it is, function that writes it to a path and returns requests and footprint)"""
    known = ask_tool(options, "workloads")
    chosen = options.only or ([] if options.trace else list(known))
    for name in chosen:
        if name not in known:
            parser.error(f"there is no made-up trace {name}: {', '.join(known)}")
    made = [(name, f"{known[name]}; {options.keys:,} keys, seed {options.seed}",
             lambda out, name=name: ask_tool(options, "generate", name, "--keys", options.keys, "--requests",
                                             options.requests, "--seed", options.seed, "--out", out))
            for name in chosen]
    return made + [(os.path.basename(path), path, lambda out, path=path: convert(options, path, out))
                   for path in options.trace]


def value_bytes(keys):
    least, most = VALUE_BYTES
    return max(least, min(most, LEAST_BYTES // keys))


def arguments(port):
    # Redis looks at its clock `hz` times a second of real time, in which much of a trace goes by.
    return [*redis_arguments(port), "--hz", "500"]


def replay(options, server_name, path, policy, file, keys, warm_up):
    words = ["replay", file, "--policy", policy, "--keys", keys, "--warm-up", warm_up, "--window",
             options.window or max(16, min(256, keys // 8)), "--value-bytes", value_bytes(keys), "--ttl", TTL_SECONDS if policy.startswith("volatile-") else 0]
    environment = {}
    if options.minutes:
        clock = file + ".clock"
        with open(clock, "wb") as zero:
            zero.write(bytes(8))
        words += ["--clock", clock, "--seconds", 60 * options.minutes]
        library = os.path.join(os.path.dirname(os.path.abspath(shutil.which(options.tool))), CLOCK_LIBRARY)
        environment = {"LD_PRELOAD": library, "TRACE_CLOCK": clock}
    with Server(server_name, path, options.cpus, arguments, environment) as server:
        result = ask_tool(options, *words, "--port", server.port)
    if "refused" not in result:
        result["ratio"] = result["hits"] / result["requests"]
    return result


def measure_trace(options, paths, about, file):
    """{share: {"keys": N, "exact": {policy: ratio}, "redis": {policy: result}, "ours": {policy: result}}}"""
    cells = {}
    warm_up = int(about["requests"] * WARM_UP)
    for share in options.share:
        keys = max(1, round(about["footprint"] * share / 100))
        cell = {"keys": keys, "value bytes": value_bytes(keys),
                "exact": ask_tool(options, "simulate", file, "--keys", keys, "--warm-up", warm_up)}
        for name, policies in (("redis", PEER_POLICIES), ("ours", options.policy)):
            cell[name] = {}
            for policy in policies:
                result = replay(options, name, paths[name], policy, file, keys, warm_up)
                cell[name][policy] = result
                progress(f"{share:g}%, {name} {policy}: {hit_report.cell_text(result, keys)}")
        cells[share] = cell
    return cells


def main():
    parser, options = parse_options()
    # Absolute: a server's working folder is not ours.
    paths = {"redis": os.path.abspath(shutil.which(options.server_a)),
             "ours": os.path.abspath(shutil.which(options.server_b))}
    results = {"machine": report.machine(), "versions": {name: version(path) for name, path in paths.items()},
               "command": shlex.join(["./dev", "bench", "hits", *sys.argv[1:]]), "traces": {}}
    with tempfile.TemporaryDirectory(prefix="spinel-hits-") as folder:
        for name, what, write in traces(parser, options):
            progress(f"{name}: {what}")
            file = os.path.join(folder, "trace")
            about = write(file)
            progress(f"{about['requests']:,} requests, {about['footprint']:,} different keys")
            cells = measure_trace(options, paths, about, file)
            results["traces"][name] = {"what": what, **about, "cells": cells}
            print(hit_report.text(name, results["traces"][name]) + "\n", flush=True)
    verdicts = hit_report.verdicts(results)
    for line in verdicts:
        print(line[0])
    print("\n" + ", ".join(os.path.relpath(path) for path in hit_report.write(options.results, results, verdicts)))
    return 1 if options.check and not all(met for _, met in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())

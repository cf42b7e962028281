#!/usr/bin/env python3
"""What a snapshot costs: latency and memory while one is taken under load, and how long loading takes, beside
redis-server in the same run.

    ./dev bench snapshots                     1,000,000 keys of 1 KB
    ./dev bench snapshots --keys 100000       a first look
    ./dev bench snapshots --rounds 3          medians of three rounds, the servers in turn

The servers may use every CPU, the client is pinned to the last one. A snapshot is taken of a server with --io-threads
loops; loading, when nobody else has use for the CPUs, is by as many loops as there are CPUs. Writes snapshots.svg and
.png (of the last round: p50, p99, p99.9 and resident memory over time; the time of the snapshot is shaded) and
snapshots.json to the folder of results.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import threading
import time

from peers import load, plot, report
from peers.latency import Load
from peers.server import Server, redis_arguments, version

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ("redis", "ours")
BIN_SECONDS = 0.25
QUANTILES = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))
FILL_BATCH = 200


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev bench snapshots", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server-a", default="redis-server", metavar="PATH")
    parser.add_argument("--server-b", default=os.path.join(ROOT, "build/release/spinel-server"), metavar="PATH")
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--value-bytes", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--io-threads", type=int, default=1, help="of ours (1)")
    parser.add_argument("--rounds", type=int, default=1, help="from filling to loading (1)")
    parser.add_argument("--quiet-seconds", type=float, default=5, help="of load before and after the snapshot (5)")
    parser.add_argument("--results", default=os.path.join(ROOT, "bench/results"), metavar="FOLDER")
    return parser.parse_args()


def progress(text):
    print(f"... {text}", file=sys.stderr, flush=True)


def fill(server, keys, value_bytes):
    """Values that compress badly, as most that are worth caching."""
    block = os.urandom(value_bytes + 4096)
    with server.connect() as connection:
        for first in range(0, keys, FILL_BATCH):
            numbers = range(first, min(first + FILL_BATCH, keys))
            connection.sendall(b"".join(
                load.request(b"SET", load.key(number), block[number % 4096:][:value_bytes]) for number in numbers))
            load.expect_ok(connection, len(numbers))


def ask(server, *words):
    """One command's reply, as it comes."""
    with server.connect() as connection:
        connection.sendall(load.request(*words))
        return connection.recv(1 << 16)


def field(server, name):
    line = next(line for line in ask(server, b"INFO", b"persistence").decode().split("\r\n")
                if line.startswith(name + ":"))
    return line.partition(":")[2]


def resident_tree(server):
    """Bytes of the server and of a child that it may have, pages that they share counted once."""
    pids = [server.process.pid]
    children = f"/proc/{pids[0]}/task/{pids[0]}/children"
    if os.path.exists(children):
        with open(children) as file:
            pids += [int(pid) for pid in file.read().split()]
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as rollup:
                total += sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError):
            continue  # the child has just ended
    return total


class MemoryWatch:
    """Samples resident memory while the with block runs."""

    def __init__(self, server):
        self.server, self.samples, self.over = server, [], threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _watch(self):
        while not self.over.wait(0.1):
            self.samples.append((time.perf_counter(), resident_tree(self.server)))


def snapshot_under_load(server, options, cpu):
    """The run of one server: samples, relative to the beginning of the load, and when the snapshot was."""
    with MemoryWatch(server) as memory, \
            Load(server, cpu, options.connections, options.keys, options.value_bytes) as clients:
        begun = time.perf_counter()
        time.sleep(options.quiet_seconds)
        saving = time.perf_counter()
        ask(server, b"BGSAVE")
        while field(server, "rdb_bgsave_in_progress") == "1":
            time.sleep(0.05)
        saved = time.perf_counter()
        time.sleep(options.quiet_seconds)
        samples = clients.samples()
    return {"latency": [(at - begun, seconds) for at, seconds in samples],
            "memory": [(at - begun, size) for at, size in memory.samples],
            "saving": (saving - begun, saved - begun),
            "status": field(server, "rdb_last_bgsave_status")}


def loading_seconds(name, path, arguments, cpus, folder):
    """From the start of a process to its first answer to a read."""
    server = Server(name, path, cpus, arguments=lambda port: [*arguments(port), "--dir", folder])
    begun = time.monotonic()
    with server:
        while not ask(server, b"GET", load.key(0)).startswith(b"$"):
            time.sleep(0.005)
        return time.monotonic() - begun


def arguments_with(name, loops):
    """A function of the port."""
    threads = ["--io-threads", str(loops)] if name == "ours" else []
    return lambda port: [*redis_arguments(port), *threads]


def measure(name, path, options):
    cpus = sorted(os.sched_getaffinity(0))
    everywhere = ",".join(map(str, cpus))
    with Server(name, path, everywhere, arguments=arguments_with(name, options.io_threads)) as server:
        progress(f"filling {name} with {options.keys:,} keys of {options.value_bytes} bytes")
        fill(server, options.keys, options.value_bytes)
        time.sleep(1)
        progress(f"{name}: a snapshot under load")
        run = snapshot_under_load(server, options, cpus[-1])
        progress(f"{name}: loading")
        run["loading"] = loading_seconds(name, path, arguments_with(name, len(cpus)), everywhere, server.folder)
    return run


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def binned(samples):
    """{bin: latencies}"""
    bins = {}
    for at, seconds in samples:
        bins.setdefault(int(at / BIN_SECONDS), []).append(seconds)
    return bins


def summary(run):
    begin, end = run["saving"]
    inside = [seconds for at, seconds in run["latency"] if begin <= at < end]
    outside = [seconds for at, seconds in run["latency"] if at < begin]
    before = statistics.median(size for at, size in run["memory"] if at < begin)
    most = max(size for at, size in run["memory"] if at <= end + 0.2)
    figures = {"seconds": end - begin, "loading seconds": run["loading"], "status": run["status"],
               "memory before": before, "extra memory": most - before,
               "requests per second before": len(outside) / begin,
               "requests per second meanwhile": len(inside) / (end - begin)}
    for name, share in QUANTILES:
        figures[f"{name} before (ms)"] = quantile(outside, share) * 1000
        figures[f"{name} meanwhile (ms)"] = quantile(inside, share) * 1000
    return figures


def combined(rounds):
    """Medians of the figures of several rounds; of texts whatever is not "ok"."""
    return {name: statistics.median(figures[name] for figures in rounds) if not isinstance(rounds[0][name], str)
            else next((figures[name] for figures in rounds if figures[name] != "ok"), "ok") for name in rounds[0]}


def print_figures(figures):
    redis, ours = (figures[name] for name in NAMES)
    print(f"{'':32}{'redis':>16}{'Spinel':>16}{'ratio':>8}")
    for row, value in ours.items():
        if isinstance(value, str):
            print(f"{row:32}{redis[row]:>16}{value:>16}")
        else:
            print(f"{row:32}{redis[row]:>16.2f}{value:>16.2f}{value / redis[row] if redis[row] else 0:>8.2f}")
    for name, server in figures.items():
        ratios = [f"{row} {server[f'{row} meanwhile (ms)'] / server[f'{row} before (ms)']:.2f}" for row, _ in QUANTILES]
        print(f"{name}, meanwhile / before: {', '.join(ratios)}")


def draw(path, runs):
    charts = []
    for name, share in QUANTILES:
        chart = plot.Chart(f"{name} of GET and SET", "ms")
        for server, run in runs.items():
            chart.add(server, [((number + 0.5) * BIN_SECONDS, quantile(values, share) * 1000)
                               for number, values in sorted(binned(run["latency"]).items())])
        charts.append(chart)
    chart = plot.Chart("resident memory, children included", "MB")
    for server, run in runs.items():
        chart.add(server, [(at, size / (1 << 20)) for at, size in run["memory"]])
    charts.append(chart)
    for chart in charts:
        for index, run in enumerate(runs.values()):
            chart.shade(index, *run["saving"])
    return plot.write(path, charts)


def main():
    options = parse_options()
    paths = [os.path.abspath(shutil.which(path) or path) for path in (options.server_a, options.server_b)]
    rounds = {name: [] for name in NAMES}
    for _ in range(options.rounds):
        runs = {name: measure(name, path, options) for name, path in zip(NAMES, paths)}
        for name, run in runs.items():
            rounds[name].append(summary(run))
    figures = {name: combined(rounds[name]) for name in NAMES}
    print_figures(figures)
    os.makedirs(options.results, exist_ok=True)
    drawn = draw(os.path.join(options.results, "snapshots.svg"), runs)
    with open(os.path.join(options.results, "snapshots.json"), "w", encoding="utf-8") as file:
        json.dump({"machine": report.machine(), "options": vars(options), "figures": figures,
                   "rounds": rounds,
                   "versions": {name: version(path) for name, path in zip(NAMES, paths)}}, file, indent=1)
    print("\n" + ", ".join(os.path.relpath(path) for path in drawn) + " and .json")


if __name__ == "__main__":
    main()

"""The measurements: CPU per request over interleaved rounds, bytes per key, bytes per idle connection."""

import statistics
import time

from peers import load, messaging, workloads
from peers.server import Server

COMMANDS = ("GET", "SET")
PIPELINES = (1, 16, 64)
# Enough at each depth that the clock ticks of /proc, 10 ms, are well under 1% of a run.
REQUESTS = {1: 400_000, 16: 2_000_000, 64: 4_000_000}
COLLECTION_PIPELINES = (1, 16)
COLLECTION_REQUESTS = {1: 200_000, 16: 1_000_000}
SETTLE_SECONDS = 2
TTL_SECONDS = 100_000


def speed(candidates, options, progress):
    """candidates: Servers not yet started; the first is the one to compare with, a floor may come last.

    Returns cells {"GET P16": {server name: {"cpu_us": median, "rps": median, "p99_ms": median, "rounds": [...]}}}.
    """
    started = []
    try:
        for server in candidates:
            started.append(server.__enter__())
            if server.name != "floor":
                progress(f"filling {server.name} with {options.keys:,} keys")
                load.fill(server, options.keys)
        cells = {}
        for pipeline in PIPELINES:
            for command in COMMANDS:
                label = f"{command} P{pipeline}"
                progress(label)
                cells[label] = speed_cell(started, command, pipeline, options)
        return cells
    finally:
        for server in started:
            server.__exit__()


def speed_cell(servers, command, pipeline, options):
    requests = max(1000, int(REQUESTS[pipeline] * options.scale))
    return in_turns(servers, options.rounds, lambda server, _: load.redis_benchmark(
        server, options.client_cpu, command, pipeline, requests, options.keys))


def in_turns(servers, count, run):
    """Servers take turns, in turned order each round, so that a slow minute of the machine hits all."""
    rounds = {server.name: [] for server in servers}
    for number in range(count):
        for server in servers if number % 2 == 0 else reversed(servers):
            rounds[server.name].append(run(server, number))
    return {name: {**{field: statistics.median(run[field] for run in runs) for field in runs[0]}, "rounds": runs}
            for name, runs in rounds.items()}


def collection_speed(makers, kind, options, progress):
    """Cells as of speed(), of the commands on one kind of collection; fresh servers."""
    started = []
    try:
        for make in makers:
            started.append(make().__enter__())
        cells = {}
        for pipeline in COLLECTION_PIPELINES:
            for workload in workloads.WORKLOADS[kind]:
                label = f"{workload.label} P{pipeline}"
                progress(label)
                cells[label] = workload_cell(started, workload, pipeline, options)
        return cells
    finally:
        for server in started:
            server.__exit__()


def workload_cell(servers, workload, pipeline, options):
    requests = max(1000, int(COLLECTION_REQUESTS[pipeline] * options.scale))

    def run(server, number):
        if number == 0 or workload.anew:
            with server.connect() as connection:
                workload.prepare(connection, requests, options.keys)
        return load.redis_benchmark(server, options.client_cpu, workload.words, pipeline, requests, options.keys)

    return in_turns(servers, options.rounds, run)


def messaging_speed(makers, options, progress):
    """Cells as of speed(), of scripts, transactions and messages; fresh servers."""
    started = []
    try:
        for make in makers:
            started.append(make().__enter__())
            load.fill(started[-1], options.keys)
        cells = {}
        for pipeline in messaging.PIPELINES:
            for label, (run, full) in messaging.RUNS.items():
                progress(f"{label} P{pipeline}")
                requests = max(100, int(full * options.scale)) * (messaging.MORE_PIPELINED if pipeline > 1 else 1)
                cells[f"{label} P{pipeline}"] = in_turns(
                    started, options.rounds, lambda server, _: run(server, options, requests, pipeline))
        return cells
    finally:
        for server in started:
            server.__exit__()


def collection_memory(makers, options, progress):
    """Resident growth per hash or per member, in bytes: {label: {server name: bytes}}."""
    results = {}
    for label, fill in workloads.FILLS.items():
        results[label] = {}
        for make in makers:
            with make() as server:
                progress(f"{server.name}: {label}, {options.keys:,}")
                load.fill(server, 1)
                before = settled(server)
                with server.connect() as connection:
                    fill(connection, options.keys)
                results[label][server.name] = (settled(server) - before) / options.keys
    return results


def memory(candidates, options, progress, ttl):
    """Resident growth per key, in bytes, by server name. candidates: functions that make a fresh Server."""
    result = {}
    for make in candidates:
        with make() as server:
            progress(f"{server.name}: {options.keys:,} keys{' with a TTL' if ttl else ''}")
            load.fill(server, 1)  # what the first key brings into being is not a key's cost
            before = settled(server)
            load.fill(server, options.keys, TTL_SECONDS if ttl else None)
            result[server.name] = (settled(server) - before) / options.keys
    return result


def idle(candidates, options, progress):
    """Resident growth per idle connection, in bytes, by server name."""
    count = min(options.connections, load.allow_open_files(options.connections + 500) - 100)
    if count < options.connections:
        progress(f"the limit of open files allows only {count:,} connections")
    result = {}
    for make in candidates:
        with make() as server:
            progress(f"{server.name}: {count:,} idle connections")
            warm = load.open_idle_connections(server, 10)
            before = settled(server)
            connections = load.open_idle_connections(server, count)
            result[server.name] = (settled(server) - before) / count
            for connection in warm + connections:
                connection.close()
    return result


def settled(server):
    time.sleep(SETTLE_SECONDS)
    return server.resident_bytes()


def fresh(name, path, cpu):
    """A maker of Servers, for measurements that need a new process each."""
    return lambda: Server(name, path, cpu)

"""What the servers are given to do: a fill, redis-benchmark's GET and SET, idle connections."""

import csv
import io
import os
import resource
import subprocess

BATCH = 1000
VALUE_BYTES = 64
CLIENTS = 50


def key(number):
    """The 16-byte name that redis-benchmark -r gives to a number."""
    return b"key:%012d" % number


def request(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def fill(server, keys, ttl_seconds=None):
    """SETs `keys` keys in pipelines; every one with the TTL when there is one."""
    tail = (b"EX", b"%d" % ttl_seconds) if ttl_seconds else ()
    value = b"x" * VALUE_BYTES
    with server.connect() as connection:
        for first in range(0, keys, BATCH):
            numbers = range(first, min(first + BATCH, keys))
            connection.sendall(b"".join(request(b"SET", key(number), value, *tail) for number in numbers))
            expect_ok(connection, len(numbers))


def expect_ok(connection, replies):
    wanted = b"+OK\r\n" * replies
    got = b""
    while len(got) < len(wanted):
        piece = connection.recv(1 << 16)
        if not piece:
            raise RuntimeError("the server closed the connection of the fill")
        got += piece
        if not wanted.startswith(got):
            raise RuntimeError(f"SET was answered {got[-200:]!r}")


def redis_benchmark(server, cpu, what, pipeline, requests, keys, tls_port=None):
    """One run of redis-benchmark on `cpu`: of its own test `what` ("GET"), or of a command (a tuple of words).
    With `tls_port` it is done there.

    Returns server CPU per request (us), requests per second, p99 (ms).
    """
    own = isinstance(what, str)
    argv = ["taskset", "-c", str(cpu), "redis-benchmark", "-h", "127.0.0.1", "-p", str(tls_port or server.port),
            *(("--tls", "--insecure") if tls_port else ()),
            "-n", str(requests), "-c", str(CLIENTS), "-d", str(VALUE_BYTES), "-r", str(keys),
            "-P", str(pipeline), "--csv", *(("-t", what.lower()) if own else what)]
    before = server.cpu_seconds()
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    used = server.cpu_seconds() - before
    name = what if own else " ".join(what)
    row = next(row for row in csv.DictReader(io.StringIO(done.stdout)) if row["test"] == name)
    return {"cpu_us": used / requests * 1e6, "rps": float(row["rps"]), "p99_ms": float(row["p99_latency_ms"])}


def allow_open_files(wanted):
    """Raises this process's limit, which servers inherit; returns how many files it may now open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted and os.geteuid() == 0:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
                return wanted
            except (OSError, ValueError):
                pass
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def open_idle_connections(server, count):
    """Connections that each asked one PING and were answered."""
    connections = []
    for _ in range(count):
        connection = server.connect()
        connection.sendall(request(b"PING"))
        if connection.recv(64) != b"+PONG\r\n":
            raise RuntimeError("PING was not answered PONG")
        connections.append(connection)
    return connections

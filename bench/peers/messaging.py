"""Scripts, transactions and messages: what is sent, by redis-benchmark or by connections of our own."""

import selectors
import socket
import time

from peers.load import CLIENTS, VALUE_BYTES, redis_benchmark, request
from peers.workloads import NUMBER, flush

VALUE = b"x" * VALUE_BYTES
CHANNEL = b"news"
GET_SCRIPT = b"return redis.call('GET', KEYS[1])"
# What ASP.NET's distributed cache does by script up to .NET 7: an entry's three fields and its time to live.
CACHE_SET_SCRIPT = b"""
local entry, absolute, sliding, ttl, data = KEYS[1], unpack(ARGV)
redis.call('HSET', entry, 'absexp', absolute, 'sldexp', sliding, 'data', data)
if ttl ~= '-1' then redis.call('EXPIRE', entry, ttl) end
return 1
"""


def line_of(connection, *words):
    """The first line of the reply to a command."""
    connection.sendall(request(*words))
    return connection.recv(4096)


def load_script(server, source):
    """Its SHA1."""
    with server.connect() as connection:
        return line_of(connection, b"SCRIPT", b"LOAD", source).split(b"\r\n")[1].decode()


def evalsha(source, prefix, *arguments):
    def run(server, options, requests, pipeline):
        words = ("EVALSHA", load_script(server, source), "1", f"{prefix}:{NUMBER}", *arguments)
        return redis_benchmark(server, options.client_cpu, words, pipeline, requests, options.keys)
    return run


def measured(server, operations, work):
    """As of redis_benchmark(), but that no latencies are taken."""
    before, begin = server.cpu_seconds(), time.monotonic()
    work()
    return {"cpu_us": (server.cpu_seconds() - before) / operations * 1e6,
            "rps": operations / (time.monotonic() - begin), "p99_ms": float("nan")}


class Reader:
    """Drains many connections until each has got so many bytes."""

    def __init__(self, connections):
        self.selector = selectors.DefaultSelector()
        for connection in connections:
            self.selector.register(connection, selectors.EVENT_READ)
        self.count = len(connections)

    def read(self, bytes_each):
        missing = bytes_each * self.count
        while missing > 0:
            ready = self.selector.select(timeout=30)
            if not ready:
                raise RuntimeError(f"{missing} bytes of replies or messages never came")
            for key, _ in ready:
                missing -= len(key.fileobj.recv(1 << 16))


def transactions(server, _options, requests, pipeline):
    """MULTI, 5 SETs and EXEC in one write, on CLIENTS connections in turn; `pipeline` of them at once."""
    body = (request(b"MULTI") + b"".join(request(b"SET", b"key:%d" % i, VALUE) for i in range(5))
            + request(b"EXEC")) * pipeline
    reply = (b"+OK\r\n" + b"+QUEUED\r\n" * 5 + b"*5\r\n" + b"+OK\r\n" * 5) * pipeline
    connections = [server.connect() for _ in range(CLIENTS)]
    reader = Reader(connections)

    def work():
        for _ in range(max(1, requests // (CLIENTS * pipeline))):
            for connection in connections:
                connection.sendall(body)
            reader.read(len(reply))

    done = max(1, requests // (CLIENTS * pipeline)) * CLIENTS * pipeline
    result = measured(server, done, work)
    for connection in connections:
        connection.close()
    return result


def publish_to(subscribers):
    """PUBLISH on one connection, each message awaited by all subscribers."""
    def run(server, _options, requests, pipeline):
        listeners = [server.connect() for _ in range(subscribers)]
        for listener in listeners:
            line_of(listener, b"SUBSCRIBE", CHANNEL)
        publisher: socket.socket = server.connect()
        message = request(b"message", CHANNEL, VALUE) * pipeline
        reader = Reader(listeners)

        def work():
            for _ in range(max(1, requests // pipeline)):
                flush(publisher, [request(b"PUBLISH", CHANNEL, VALUE)] * pipeline)
                reader.read(len(message))

        result = measured(server, max(1, requests // pipeline) * pipeline, work)
        for connection in (publisher, *listeners):
            connection.close()
        return result
    return run


# Label: (the run, requests at full scale without pipelining; with it they are MORE_PIPELINED times as many).
RUNS = {
    "EVALSHA GET": (evalsha(GET_SCRIPT, "key"), 400_000),
    "EVALSHA cache set": (evalsha(CACHE_SET_SCRIPT, "cache", "-1", "1200000000", "1200", VALUE.decode()), 200_000),
    "MULTI 5 SET": (transactions, 200_000),
    "PUBLISH to 1": (publish_to(1), 100_000),
    "PUBLISH to 10": (publish_to(10), 50_000),
    "PUBLISH to 1000": (publish_to(1000), 4_000),
}
PIPELINES = (1, 16)
MORE_PIPELINED = 5

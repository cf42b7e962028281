"""A steady load of half reads and half writes in a process of its own, with the time of every request."""

import multiprocessing
import os
import random
import selectors
import time

from peers import load


class Load:
    """Runs while the with block does; samples() gives (seconds since the epoch of perf_counter, latency) pairs.

    Closed loop: each connection has one request under way, so a server that stops is seen by every connection once
    for each stop.
    """

    def __init__(self, server, cpu, connections, keys, value_bytes):
        self.arguments = (server.port, cpu, connections, keys, value_bytes)

    def __enter__(self):
        self.stop = multiprocessing.Event()
        self.result, sender = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.Process(target=_run, args=(*self.arguments, self.stop, sender), daemon=True)
        self.process.start()
        return self

    def samples(self):
        """Ends the load."""
        self.stop.set()
        samples = self.result.recv()
        self.process.join()
        return samples

    def __exit__(self, *_):
        self.stop.set()
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


def _run(port, cpu, connections, keys, value_bytes, stop, sender):
    os.sched_setaffinity(0, {cpu})
    import socket  # noqa: PLC0415: only this process uses it here
    dice = random.Random(port)
    value = dice.randbytes(value_bytes)
    selector = selectors.DefaultSelector()
    clock = time.perf_counter
    samples = []

    def ask(connection, data):
        key = load.key(dice.randrange(keys))
        reads = dice.random() < 0.5
        data["wanted"] = len(b"$%d\r\n" % value_bytes) + value_bytes + 2 if reads else len(b"+OK\r\n")
        data["begun"] = clock()
        connection.sendall(load.request(b"GET", key) if reads else load.request(b"SET", key, value))

    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = {}
        selector.register(connection, selectors.EVENT_READ, data)
        ask(connection, data)
    while not stop.is_set():
        for selected, _ in selector.select(timeout=1):
            data = selected.data
            data["wanted"] -= len(selected.fileobj.recv(1 << 16))
            if data["wanted"] > 0:
                continue
            now = clock()
            samples.append((now, now - data["begun"]))
            ask(selected.fileobj, data)
    sender.send(samples)

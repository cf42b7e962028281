"""A raw RESP connection for tests: requests as bytes, replies as Python values or as they came.

One value per reply type, so that a test sees what was on the wire: Simple("OK") is not b"OK", and
an Error is returned, not raised.
"""

import dataclasses
import socket


@dataclasses.dataclass(frozen=True)
class Simple:
    """A simple string such as +OK; a bulk string is plain bytes."""
    text: str


@dataclasses.dataclass(frozen=True)
class Error:
    """An error reply, without its minus sign."""
    text: str


@dataclasses.dataclass(frozen=True)
class Verbatim:
    """A RESP3 verbatim string: three-letter format and content."""
    format: str
    data: bytes


class Push(list):
    """A RESP3 push message."""


class Set(list):
    """A RESP3 set, in the order of the wire."""


class Map(list):
    """A RESP3 map as (key, value) pairs: keys need not be hashable."""

    def get(self, key, default=None):
        return next((value for name, value in self if name == key), default)


OK = Simple("OK")
PONG = Simple("PONG")
QUEUED = Simple("QUEUED")


def encode(*arguments):
    """One command as a RESP array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = to_bytes(argument)
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def to_bytes(argument):
    return argument if isinstance(argument, (bytes, bytearray)) else str(argument).encode()


class Closed(Exception):
    """The server closed the connection where a reply was expected."""


class Connection:
    """A blocking socket with a RESP2/RESP3 reader. Every wait ends after `timeout` seconds.

        connection("SET", "k", "v") == OK
    """

    def __init__(self, address, timeout=10.0):
        if isinstance(address, tuple):
            self.socket = socket.create_connection(address, timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(address))
        self._buffer = bytearray()
        self._position = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def __call__(self, *arguments):
        """Sends one command and returns its reply."""
        self.send(*arguments)
        return self.read()

    def pipeline(self, commands):
        """Sends all commands at once and returns their replies in order."""
        commands = list(commands)
        self.write(b"".join(encode(*command) for command in commands))
        return [self.read() for _ in commands]

    def send(self, *arguments):
        self.write(encode(*arguments))

    def write(self, data):
        self.socket.sendall(data)

    def read(self):
        """The next reply as a Python value."""
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return Simple(rest.decode())
        if kind == b"-":
            return Error(rest.decode("utf-8", "backslashreplace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._bulk(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        if kind == b"(":
            return int(rest)
        if kind == b"=":
            data = self._bulk(int(rest))
            return Verbatim(data[:3].decode(), data[4:])
        if kind == b"%":
            return Map((self.read(), self.read()) for _ in range(int(rest)))
        if kind == b"~":
            return Set(self.read() for _ in range(int(rest)))
        if kind == b">":
            return Push(self.read() for _ in range(int(rest)))
        raise AssertionError(f"not a RESP reply: {line!r}")

    def read_raw(self):
        """The next reply exactly as it came over the wire."""
        raw = bytearray()
        missing = 1
        while missing:
            line = self._line()
            raw += line + b"\r\n"
            missing -= 1
            if line[:1] in b"$=" and line[1:] != b"-1":
                raw += self._take(int(line[1:]) + 2)
            elif line[:1] in b"*~>" and line[1:] != b"-1":
                missing += int(line[1:])
            elif line[:1] == b"%":
                missing += 2 * int(line[1:])
        return bytes(raw)

    def at_end(self):
        """True if the server has closed the connection and nothing is left to read."""
        if self._position < len(self._buffer):
            return False
        try:
            self._receive()
            return False
        except (Closed, ConnectionResetError):
            return True

    def quiet(self, seconds=0.1):
        """True if nothing arrives within `seconds`, not even the end of the connection."""
        if self._position < len(self._buffer):
            return False
        timeout = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self._receive()
            return False
        except TimeoutError:
            return True
        except (Closed, ConnectionResetError):
            return False
        finally:
            self.socket.settimeout(timeout)

    def _bulk(self, size):
        data = self._take(size + 2)
        assert data[-2:] == b"\r\n", f"bulk string of {size} bytes not followed by CRLF"
        return bytes(data[:-2])

    def _line(self):
        scanned = self._position
        while True:
            end = self._buffer.find(b"\r\n", scanned)
            if end >= 0:
                line = bytes(self._buffer[self._position:end])
                self._position = end + 2
                return line
            scanned = max(self._position, len(self._buffer) - 1)
            scanned -= self._receive()

    def _take(self, size):
        while len(self._buffer) - self._position < size:
            self._receive()
        data = self._buffer[self._position:self._position + size]
        self._position += size
        return data

    def _receive(self):
        """Appends what arrives next; returns how many consumed bytes were dropped in front."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed("the server closed the connection")
        dropped = self._position
        del self._buffer[:dropped]
        self._position = 0
        self._buffer += data
        return dropped

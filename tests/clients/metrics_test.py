#!/usr/bin/env python3
"""The metrics port: what Prometheus, probes and people with bad intentions get."""

import base64
import http.client
import json
import re
import signal
import socket
import subprocess
import time

from resp import OK, Error, Simple
from support import ROOT, Server, ServerTestCase, free_port, main, wait_until

DASHBOARD = ROOT / "docs" / "grafana-dashboard.json"


def start(*options, port=None):
    """A server with a metrics port of its own, as (server, port)."""
    port = port or free_port()
    server = Server("--metrics-port", port, *options)
    server.start()
    return server, port


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()


def get(port, path="/metrics", method="GET", timeout=20, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, headers=headers)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def basic(password, user="default"):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def families(text):
    return set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))


def sample(text, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


class MetricsTest(ServerTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server, cls.port = start()

    def test_what_clients_do_is_counted(self):
        client = self.connect()
        before = get(self.port).text
        for i in range(10):
            client("SET", f"k{i}", "v")
        client("GET", "k1")
        client("GET", "none")
        after = get(self.port)
        self.assertEqual(after.status, 200)
        self.assertEqual(after.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        name = 'spinel_commands_total{command="set"}'
        self.assertEqual((sample(after.text, name) or 0) - (sample(before, name) or 0), 10)
        self.assertEqual(sample(after.text, 'spinel_database_keys{db="0"}'), 10)
        self.assertGreaterEqual(sample(after.text, "spinel_keyspace_misses_total"), 1)
        self.assertGreater(sample(after.text, "spinel_memory_used_bytes"), 100_000)
        self.assertGreater(sample(after.text, 'spinel_loop_cpu_seconds_total{loop="0"}'), 0)
        self.assertLess(sample(after.text, 'spinel_loop_turn_age_seconds{loop="0"}'), 5)

    def test_what_the_dashboard_shows_exists(self):
        client = self.connect()
        client("SET", "k", "v", "EX", 100)
        client("LPUSH", "k", "v")
        client("BGSAVE")
        text = wait_until(lambda: (lambda page: page if "spinel_snapshot_last_duration" in page else "")(
            get(self.port).text), "the end of a snapshot")
        known = families(text)
        queries = re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', DASHBOARD.read_text())
        json.loads(DASHBOARD.read_text())
        self.assertGreater(len(queries), 15)
        used = {name for query in queries for name in re.findall(r"spinel_\w+", query)}
        unknown = {name for name in used
                   if re.sub(r"_(bucket|sum|count)$", "", name) not in known and name not in known}
        self.assertEqual(unknown, set())

    def test_health(self):
        live, ready = get(self.port, "/health/live"), get(self.port, "/health/ready")
        self.assertEqual((live.status, json.loads(live.text)), (200, {"status": "live"}))
        self.assertEqual((ready.status, json.loads(ready.text)), (200, {"status": "ready"}))

    def test_head_and_keep_alive(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.addCleanup(connection.close)
        for method in ("HEAD", "GET", "HEAD", "GET"):
            connection.request(method, "/health/live")
            response = connection.getresponse()
            body = response.read()
            self.assertEqual(response.status, 200)
            self.assertEqual(int(response.headers["Content-Length"]), 18)
            self.assertEqual(len(body), 18 if method == "GET" else 0)

    def test_other_methods_and_paths(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            self.assertEqual(get(self.port, method=method).status, 405, method)
        for path in ("/", "/metrics/", "/../metrics", "/api/overview", "//", "/%00"):
            self.assertEqual(get(self.port, path).status, 404, path)

    def raw(self, data, timeout=20):
        """All that the server answers to these bytes until it closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as client:
            answer = b""
            try:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                while block := client.recv(65536):
                    answer += block
            except OSError:  # it did not want to hear all of it
                pass
            return answer

    def test_what_is_no_http_is_cut(self):
        for data in (b"PING\r\n\r\n", b"*1\r\n$4\r\nPING\r\n", b"\x16\x03\x01\x02\x00" * 50, b"\r\n" * 99,
                     b"GET / HTTP/9.9\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", b"GET", b""):
            answer = self.raw(data)
            self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 400"), (data, answer))
        self.assertEqual(get(self.port, "/health/live").status, 200)

    def test_large_headers_and_bodies_are_refused(self):
        answer = self.raw(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
        self.assertIn(answer[:12], (b"", b"HTTP/1.1 431"))
        answer = self.raw(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n")
        self.assertIn(answer[:12], (b"", b"HTTP/1.1 431"))
        answer = self.raw(b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
        self.assertIn(answer[:10], (b"", b"HTTP/1.1 4"))

    def test_connections_are_bounded(self):
        idle = [socket.create_connection(("127.0.0.1", self.port), timeout=20) for _ in range(200)]
        try:
            # One beyond the limit is closed at once.
            wait_until(lambda: any(self.closed(client) for client in idle), "a connection to be cut")
            with self.connect() as client:
                self.assertEqual(client("PING"), Simple("PONG"))
        finally:
            for client in idle:
                client.close()
        wait_until(lambda: self.health_answers(), "the port to answer again")

    def health_answers(self):
        try:
            return get(self.port, "/health/live", timeout=5).status == 200
        except OSError:
            return False

    @staticmethod
    def closed(client):
        client.setblocking(False)
        try:
            return client.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def test_a_slow_request_is_cut(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            begun = time.monotonic()
            client.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            try:
                while time.monotonic() - begun < 25:
                    client.sendall(b"x")
                    time.sleep(0.2)
            except OSError:
                pass
            self.assertLess(time.monotonic() - begun, 20)

    def test_a_busy_loop_does_not_stop_the_port(self):
        client = self.connect(timeout=30)
        get(self.port)
        client.send("DEBUG", "SLEEP", 3)
        time.sleep(0.2)
        self.assertEqual(get(self.port, "/health/live").status, 200)
        text = get(self.port).text
        self.assertGreater(sample(text, "spinel_info_age_seconds"), 0.5)
        client.read()
        # What was asked for meanwhile is done, and the port is as before.
        self.assertLess(sample(get(self.port).text, "spinel_info_age_seconds"), 1)


class PasswordTest(ServerTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server, cls.port = start()
        with cls.server.connect() as client:
            client("CONFIG", "SET", "requirepass", "geheim: ü")

    def setUp(self):
        pass

    def test_metrics_need_the_password(self):
        refused = get(self.port)
        self.assertEqual(refused.status, 401)
        self.assertIn("Basic", refused.headers["WWW-Authenticate"])
        self.assertEqual(get(self.port, Authorization=basic("geheim: ü")).status, 200)
        self.assertEqual(get(self.port, Authorization=basic("geheim: u")).status, 401)
        self.assertEqual(get(self.port, Authorization=basic("geheim: ü", "admin")).status, 401)
        self.assertEqual(get(self.port, "/none").status, 401)

    def test_health_does_not(self):
        self.assertEqual(get(self.port, "/health/live").status, 200)
        self.assertEqual(get(self.port, "/health/ready").status, 200)


class UsersTest(ServerTestCase):
    """With users of their own and `default` off, the console is for those who may do everything."""

    PATHS = ("/", "/api/overview", "/api/keys?db=0", "/api/clients", "/metrics")

    @classmethod
    def setUpClass(cls):
        users = ("boss on >p:ä ~* &* +@all", "reader on >reads ~* +@read",
                 "most on >most ~* &* +@all -flushall", "former off >left ~* &* +@all")
        options = [word for user in users for word in ("--user", *user.split())]
        cls.server, cls.port = start("--console", "yes", *options)

    def setUp(self):
        self.boss = self.connect()
        self.assertEqual(self.boss("AUTH", "boss", "p:ä"), OK)
        self.assertEqual(self.boss("ACL", "SETUSER", "default", "off"), OK)

    def statuses(self, **headers):
        return {get(self.port, path, **headers).status for path in self.PATHS}

    def test_who_may_look(self):
        self.assertEqual(self.statuses(Authorization=basic("p:ä", "boss")), {200})
        self.assertEqual(self.statuses(), {401})
        for user, password in (("boss", "p"), ("reader", "reads"), ("most", "most"),
                               ("former", "left"), ("default", ""), ("nobody", ""), ("", "p:ä")):
            self.assertEqual(self.statuses(Authorization=basic(password, user)), {401}, user)
        for path in ("/health/live", "/health/ready"):
            self.assertEqual(get(self.port, path).status, 200)

    def test_a_change_of_the_user_counts_from_the_next_request_on(self):
        self.assertEqual(self.boss("ACL", "SETUSER", "guest", "on", ">g", "allkeys", "allchannels",
                                   "+@all"), OK)
        self.assertEqual(self.statuses(Authorization=basic("g", "guest")), {200})
        self.assertEqual(self.boss("ACL", "SETUSER", "guest", "<g", ">h"), OK)
        self.assertEqual(self.statuses(Authorization=basic("g", "guest")), {401})
        self.assertEqual(self.statuses(Authorization=basic("h", "guest")), {200})
        self.assertEqual(self.boss("ACL", "DELUSER", "guest"), 1)
        self.assertEqual(self.statuses(Authorization=basic("h", "guest")), {401})


class LifeTest(ServerTestCase):
    """Servers that are started and stopped by the tests themselves."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        pass

    def test_off_unless_asked_for(self):
        with Server() as server:
            self.assertNotIn("/metrics", server.log.read_text())

    def test_a_port_that_is_taken_stops_the_start(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            server = Server("--metrics-port", taken.getsockname()[1])
            self.addCleanup(server.close)
            with self.assertRaisesRegex(ChildProcessError, "metrics-port"):
                server.start(attempts=1)

    def test_the_port_opens_moves_and_closes_at_run_time(self):
        with Server("--requirepass", "s3cret") as server, server.connect() as client:
            self.assertEqual(client("AUTH", "s3cret"), OK)
            first, second = free_port(), free_port()
            self.assertEqual(client("CONFIG", "SET", "metrics-port", first), OK)
            kept = http.client.HTTPConnection("127.0.0.1", first, timeout=20)
            self.addCleanup(kept.close)
            kept.request("GET", "/health/live")
            self.assertEqual(Answer(kept.getresponse()).status, 200)
            self.assertEqual(get(first).status, 401)
            # What cannot be changes nothing.
            self.assertIsInstance(client("CONFIG", "SET", "metrics-port", server.port), Error)
            self.assertEqual(client("CONFIG", "GET", "metrics-port"), [b"metrics-port", b"%d" % first])
            self.assertEqual(get(first, "/health/live").status, 200)
            self.assertEqual(client("CONFIG", "SET", "metrics-port", second, "metrics-bind", "127.0.0.1"), OK)
            self.assertEqual(get(second, "/health/live").status, 200)
            with self.assertRaises(OSError):
                get(first, "/health/live")
            self.assertEqual(client("CONFIG", "SET", "metrics-port", "0"), OK)
            with self.assertRaises(OSError):
                get(second, "/health/live")
            # Who is connected gets one more answer, and then the end.
            kept.request("GET", "/health/live")
            self.assertEqual(Answer(kept.getresponse()).status, 200)
            with self.assertRaises((OSError, http.client.HTTPException)):
                kept.sock.settimeout(20)
                kept.request("GET", "/health/live")
                kept.getresponse()
            self.assertEqual(client("CONFIG", "SET", "metrics-port", first), OK)
            self.assertEqual(get(first, "/health/live").status, 200)

    def test_not_ready_while_loading_and_while_stopping(self):
        port = free_port()
        server, port = start("--save", "3600 1", port=port)
        self.addCleanup(server.close)
        with server.connect(timeout=60) as client:
            client("DEBUG", "POPULATE", 400_000, "key", 300)
        seen = set()
        server.process.send_signal(signal.SIGTERM)
        while server.process.poll() is None:
            seen.add(self.ready(port))
        self.assertIn((503, "stopping"), seen)
        server.process.wait(30)
        # Asked for as soon as it listens, and until it answers commands.
        process = subprocess.Popen(server.command_line(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.process = process
        states = []
        wait_until(lambda: states.append(self.ready(port)) or states[-1] == (200, "ready"),
                   "the data to be there", timeout=40, interval=0.001)
        self.assertIn((503, "loading"), states)
        server.process.kill()
        server.process.wait(10)

    @staticmethod
    def ready(port):
        try:
            answer = get(port, "/health/ready", timeout=5)
            return answer.status, json.loads(answer.text)["status"]
        except (OSError, http.client.HTTPException):
            return None

    def crash(self, *command, options=()):
        server = Server("--io-threads", 2, *options)
        self.addCleanup(server.close)
        server.start()
        with server.connect() as client:
            client("SET", "secret-key", "secret-value")
            client.send(*command)
            code = server.process.wait(30)
        return code, server.log.read_text(errors="replace")

    def test_a_crash_is_reported(self):
        code, log = self.crash("DEBUG", "SEGFAULT")
        self.assertEqual(code, -signal.SIGSEGV)
        for text in ("SPINEL CRASH REPORT", "version: ", "SIGSEGV", "address 0x10", "command: debug",
                     "thread: event loop", "run_id:", "rip=" if "x86" in _machine() else "registers",
                     "--- stack", "END OF CRASH REPORT"):
            self.assertIn(text, log)
        self.assertRegex(log, r"spinel-server\(_ZN6spinel")
        self.assertNotIn("secret", log)

    def test_giving_up_is_reported(self):
        code, log = self.crash("DEBUG", "PANIC", options=("--log-format", "json"))
        self.assertEqual(code, -signal.SIGABRT)
        self.assertIn("SIGABRT", log)
        self.assertIn("END OF CRASH REPORT", log)
        lines = log.splitlines()
        panic = next(number for number, line in enumerate(lines) if "DEBUG PANIC" in line)
        records = [json.loads(line) for line in lines[panic:]]
        self.assertEqual({record["level"] for record in records}, {"warning"})
        stack = [record["message"] for record in records]
        self.assertRegex("\n".join(stack[stack.index("--- stack"):]), r"spinel-server\(_ZN6spinel")

    def test_reports_can_be_turned_off(self):
        code, log = self.crash("DEBUG", "SEGFAULT", options=("--crash-log-enabled", "no"))
        self.assertEqual(code, -signal.SIGSEGV)
        self.assertNotIn("CRASH REPORT", log)

    def test_a_log_of_json_is_json_line_by_line(self):
        with Server("--log-format", "json") as server:
            with server.connect() as client:
                client("DEBUG", "LOG", 'a "b"\n\x01')
                self.assertEqual(client("CONFIG", "SET", "log-format", "text"), OK)
                self.assertEqual(client("CONFIG", "GET", "log-format"), [b"log-format", b"legacy"])
                client("CONFIG", "SET", "log-format", "json")
            lines = server.log.read_text().splitlines()
            records = [json.loads(line) for line in lines]
            self.assertTrue(all({"timestamp", "level", "pid", "message"} <= set(record)
                                for record in records))
            self.assertIn('DEBUG LOG: a "b"\n\x01', [record["message"] for record in records])


def _machine():
    return subprocess.run(["uname", "-m"], capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()

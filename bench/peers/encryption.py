"""GET and SET over TLS: servers with a certificate, redis-benchmark --tls beside their other runs."""

import os
import subprocess
import tempfile

from peers import load
from peers.measure import in_turns
from peers.server import Server, free_port, redis_arguments

COMMANDS = ("GET", "SET")
# Redis's pipelines cost it about as much as single requests do without TLS, so fewer are enough.
REQUESTS = {1: 300_000, 16: 1_000_000}


class TlsServer(Server):
    """Serves both with TLS, at tls_port, and without."""

    def __init__(self, name, path, cpu, certificate, key):
        self.tls_port = free_port()
        super().__init__(name, path, cpu, lambda port: [
            *redis_arguments(port), "--tls-port", str(self.tls_port), "--tls-cert-file", certificate,
            "--tls-key-file", key, "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"])


def make_certificate(folder):
    """A certificate of its own and its key (elliptic, so that 50 handshakes are little beside a run): their paths."""
    certificate, key = os.path.join(folder, "server.pem"), os.path.join(folder, "server.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"],
                   check=True, capture_output=True)
    return certificate, key


def speed(names_and_paths, options, progress):
    """Cells as of measure.speed(), with TLS."""
    started = []
    with tempfile.TemporaryDirectory(prefix="spinel-bench-tls-") as folder:
        certificate, key = make_certificate(folder)
        try:
            for name, path in names_and_paths:
                started.append(TlsServer(name, path, options.server_cpu, certificate, key).__enter__())
                progress(f"filling {name} with {options.keys:,} keys")
                load.fill(started[-1], options.keys)
            cells = {}
            for pipeline, full in REQUESTS.items():
                for command in COMMANDS:
                    label = f"TLS {command} P{pipeline}"
                    progress(label)
                    cells[label] = in_turns(started, options.rounds, lambda server, _: load.redis_benchmark(
                        server, options.client_cpu, command, pipeline, max(1000, int(full * options.scale)),
                        options.keys, tls_port=server.tls_port))
            return cells
        finally:
            for server in started:
                server.__exit__()

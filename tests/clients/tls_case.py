"""What the suites about TLS begin with. Every certificate is made by the `openssl` program while
the test runs."""

import functools
import pathlib
import shutil
import ssl
import subprocess
import tempfile

import support
from resp import Connection


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        self.certificate = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.key, "-out", self.certificate, "-subj", f"/CN={name}", "-days", 2)

    def issue(self, name, kind="ec", days=2, passphrase=None):
        """A certificate and its key, as two paths."""
        algorithm = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["rsa:2048"]
        locked = ["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]
        key, request, certificate = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        openssl("req", "-newkey", *algorithm, *locked, "-keyout", key, "-out", request,
                "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", days, "-copy_extensions", "copy", "-out", certificate)
        return certificate, key


@functools.cache
def pki():
    return Pki()


class Pki:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spinel-tls-"))
        self.ca = Authority(self.folder, "ca")
        self.other_ca = Authority(self.folder, "other-ca")
        self.server = self.ca.issue("server", kind="rsa")
        self.next_server = self.ca.issue("next-server")
        self.locked_server = self.ca.issue("locked-server", passphrase="open sesame")
        self.client = self.ca.issue("client")
        self.stranger = self.other_ca.issue("stranger")
        self.expired = self.ca.issue("expired", days=-1)


class TlsServer(support.Server):
    """A server with a TLS port beside the plain one."""

    def __init__(self, *options, pair=None, authority=True):
        certificate, key = pair or pki().server
        self.tls_port = support.free_port()
        super().__init__("--tls-port", self.tls_port, "--tls-cert-file", certificate,
                         "--tls-key-file", key,
                         *(["--tls-ca-cert-file", pki().ca.certificate] if authority else []),
                         *options)

    def context(self, pair=None, verify=True):
        context = ssl.create_default_context(cafile=str(pki().ca.certificate))
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if pair:
            context.load_cert_chain(*map(str, pair))
        return context

    def tls(self, pair=None, context=None, timeout=20.0, session=None):
        return TlsConnection(self.tls_port, context or self.context(pair), timeout, session)


class TlsConnection(Connection):
    def __init__(self, port, context, timeout, session=None):
        super().__init__(("127.0.0.1", port), timeout)
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1",
                                              session=session)
        except BaseException:
            self.socket.close()
            raise

    def serial(self):
        return self.socket.getpeercert()["serialNumber"]


class TlsTestCase(support.ServerTestCase):
    OPTIONS = ("--tls-auth-clients", "no")

    @classmethod
    def setUpClass(cls):
        cls.server = TlsServer(*cls.OPTIONS).start()

    def tls(self, **options):
        connection = self.server.tls(**options)
        self.addCleanup(connection.close)
        return connection


def main():
    """support.main, and then the certificates go."""
    try:
        support.main()
    finally:
        shutil.rmtree(pki().folder, ignore_errors=True)

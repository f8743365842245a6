"""Small servers on 127.0.0.1 that answer exactly the bytes a test wants, over HTTP or TLS, and count who came."""

import contextlib
import datetime as dt
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Script = bytes | Callable[[socket.socket], None]


@dataclass
class LocalServer:
    """A running server: its port, and the request lines that it saw."""

    port: int
    seen: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    @property
    def pair(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


def answer(body: bytes, *, status: int = 200, **headers: str) -> bytes:
    """A whole HTTP response; header names are given with underscores."""
    fields = {"Content-Length": str(len(body)), "Connection": "close"}
    fields |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body


@contextlib.contextmanager
def serving(routes: Mapping[str, Script], tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[LocalServer]:
    """Serve a script per path until the block ends; an unknown path is a 404."""
    listener = socket.create_server(("127.0.0.1", port))
    server = LocalServer(listener.getsockname()[1])
    stopping = threading.Event()

    def converse(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.settimeout(5)
            speaker = tls.wrap_socket(connection, server_side=True) if tls else connection
            with contextlib.closing(speaker):
                request = b""
                while b"\r\n\r\n" not in request:
                    request += speaker.recv(4096) or b"\r\n\r\n"
                request = _with_body(speaker, request)
                path = request.split(b" ")[1].decode()
                server.seen.append(path)
                server.requests.append(request)
                script = routes.get(path, answer(b"no", status=404))
                if callable(script):
                    script(speaker)
                else:
                    speaker.sendall(script)

    def accept() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=converse, args=(connection,), daemon=True))
            threads[-1].start()

    threads: list[threading.Thread] = []
    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        stopping.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in [acceptor, *threads]:
            thread.join(6)


def _with_body(speaker: socket.socket, request: bytes) -> bytes:
    """Read on to the end of the body: to close with something unread would reset the connection."""
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]) and (more := speaker.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A self-signed certificate for a host: the server's context, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    client = ssl.create_default_context(cadata=pem.decode())
    return server, client

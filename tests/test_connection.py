"""How a request goes out: what a redirect may carry along, which hop has which proxy, what a tunnel is for."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasks.registries import trust
from tasks.registries.connection import Connections
from tests import registries

LOGIN = {"Authorization": "Basic c2VjcmV0"}


@dataclass
class Server:
    """Answers each path as told, 200 where nothing was told; `seen` is what came: method, target, headers, body."""

    host: str = ""
    told: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@contextlib.contextmanager
def serving(pair: tuple[Path, Path] | None = None) -> Iterator[Server]:
    """Runs a server, which is also a proxy; with a certificate and its key it speaks TLS."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Says nothing: `seen` has it."""

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.seen.append((self.command, self.path, dict(self.headers), body))
            status, headers = state.told.get(self.path, (200, {}))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "2"}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"ok")

        def do_CONNECT(self) -> None:
            state.seen.append((self.command, self.path, dict(self.headers), b""))
            host, _, port = self.path.partition(":")
            with socket.create_connection((host, int(port))) as upstream:
                self.send_response(200)
                self.end_headers()
                ends = {self.connection: upstream, upstream: self.connection}
                while data := (end := select.select(list(ends), [], [], 5)[0][0]).recv(1 << 16):
                    ends[end].sendall(data)
            self.close_connection = True

    for method in ("GET", "HEAD", "PUT", "POST"):
        setattr(Handler, f"do_{method}", Handler.handle_any)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    state.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def first() -> Iterator[Server]:
    """The server that is asked."""
    with serving() as running:
        yield running


@pytest.fixture
def second() -> Iterator[Server]:
    """The server it sends us to."""
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_login_goes_to_nobody_else(first: Server, second: Server) -> None:
    first.told["/blob"] = (307, {"Location": f"http://{second.host}/stored"})
    first.told["/moved"] = (302, {"Location": "/blob"})
    answer = Connections(first.host, {}).ask("GET", f"http://{first.host}/moved", headers=LOGIN)
    assert (answer.status, answer.body, answer.elsewhere) == (200, b"ok", True)
    assert [headers.get("Authorization") for _, _, headers, _ in first.seen] == [LOGIN["Authorization"]] * 2
    ((method, target, headers, _),) = second.seen
    assert (method, target) == ("GET", "/stored")
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("status", "followed"), [(301, False), (302, False), (303, False), (307, True), (308, True)]
)
def test_what_is_to_be_written_is_written_elsewhere_or_not_at_all(
    first: Server, second: Server, status: int, followed: bool
) -> None:
    """A write that became a read would be answered with 200, and nothing would be there."""
    first.told["/v2/x"] = (status, {"Location": f"http://{second.host}/v2/x"})
    answer = Connections(first.host, {}).ask("PUT", f"http://{first.host}/v2/x", body=b"{}")
    assert answer.status == (200 if followed else status)
    assert [(method, body) for method, _, _, body in second.seen] == ([("PUT", b"{}")] if followed else [])


def test_a_redirect_that_leads_nowhere_ends(first: Server) -> None:
    import urllib3

    first.told["/round"] = (307, {"Location": "/round"})
    with pytest.raises(urllib3.exceptions.HTTPError, match="more than 10 redirects"):
        Connections(first.host, {}).ask("GET", f"http://{first.host}/round")


def test_a_proxy_gets_its_login_and_each_hop_its_own_way(
    first: Server, second: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry is behind the proxy; what it sends us to is not."""
    monkeypatch.setenv("HTTP_PROXY", f"http://me:p%40ss@{first.host}")
    first.told["http://registry.example/v2/"] = (307, {"Location": f"http://{second.host}/v2/"})
    answer = Connections("registry.example", {}).ask("GET", "http://registry.example/v2/", headers=LOGIN)
    assert answer.status == 200
    assert first.seen[0][2]["proxy-authorization"] == "Basic bWU6cEBzcw=="
    ((_, target, headers, _),) = second.seen
    assert target == "/v2/"
    assert not {"proxy-authorization", "Authorization"} & set(headers)
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8, .example")
    assert trust.proxy("http://10.1.2.3/v2/") == trust.proxy("http://registry.example/v2/") == ""
    assert trust.proxy("http://11.1.2.3/v2/") != ""


def test_tls_goes_through_a_proxy_s_tunnel(
    first: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy sees neither what is asked nor the login; whom to trust is the registry's matter all the same."""
    pair = registries.certificate(tmp_path)
    monkeypatch.setattr(trust, "proxy", lambda _: f"http://{first.host}")
    with serving(pair) as sealed:
        connections = Connections(sealed.host, {"SSL_CERT_FILE": str(pair[0]), "HOME": str(tmp_path)})
        answer = connections.ask("HEAD", f"https://{sealed.host}/v2/", headers=LOGIN)
    assert answer.status == 200
    assert [seen[:2] for seen in first.seen] == [("CONNECT", sealed.host)]
    assert "Authorization" not in first.seen[0][2]
    assert sealed.seen[0][2]["Authorization"] == LOGIN["Authorization"]

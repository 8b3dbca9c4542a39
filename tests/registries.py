"""Real registries for tests, each on a free port of 127.0.0.1 with a folder of its own; and a proxy that fails.

The registry is Debian's docker-registry, the one of the engine whose environment is passed in.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.harbour import KINDS

USER, PASSWORD = "sailor", "sesame-4711"
# bcrypt of that password, at the lowest cost: the tests are not about bcrypt.
HTPASSWD = f"{USER}:$2b$04$PoZWvrp7QIgGTEUC9I.qcuU1xtEjRSyDxUCsmS1Q04UOf8.8VsHKy\n"


@dataclass(frozen=True)
class Running:
    """A registry that answers at `host` ("127.0.0.1:port") and keeps its things in `folder`."""

    host: str
    folder: Path
    stop: Callable[[], None]


@contextlib.contextmanager
def registry(
    env: Mapping[str, str],
    folder: Path,
    *,
    htpasswd: bool = False,
    certificate: tuple[Path, Path] | None = None,
    readonly: bool = False,
    delete: bool = False,
    token: Mapping[str, str] | None = None,
    address: str = "127.0.0.1:0",
) -> Iterator[Running]:
    """Runs a registry. JSON is YAML, so its configuration is written as JSON.

    `certificate` is (certificate, key) for TLS; `token` is distribution's `auth.token` section. Two registries
    over one `folder` serve the same things.
    """
    program = _program(env.get("PATH", ""))
    (folder / "data").mkdir(parents=True, exist_ok=True)
    http: dict[str, object] = {"addr": address, "secret": "not one"}
    auth: dict[str, object] = {}
    if certificate:
        http["tls"] = {"certificate": str(certificate[0]), "key": str(certificate[1])}
    if htpasswd:
        (folder / "htpasswd").write_text(HTPASSWD)
        auth = {"htpasswd": {"realm": "a harbour", "path": str(folder / "htpasswd")}}
    if token:
        auth = {"token": dict(token)}
    storage = {
        "filesystem": {"rootdirectory": str(folder / "data")},
        "delete": {"enabled": delete},
        "maintenance": {"readonly": {"enabled": readonly}},
    }
    config = {"version": "0.1", "log": {"level": "info"}, "storage": storage, "http": http}
    file = folder / f"config-{time.monotonic_ns()}.yml"
    file.write_text(json.dumps(config | ({"auth": auth} if auth else {})))
    log = file.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen([program, "serve", str(file)], stdout=out, stderr=out)

    def stop() -> None:
        process.kill()
        process.wait()

    try:
        yield Running(_listening(process, log), folder, stop)
    finally:
        stop()


def _program(path: str) -> str:
    """The engine puts only its docker on PATH, as a link into the folder where its docker-registry lies as well."""
    beside = Path(shutil.which("docker", path=path) or "/").resolve().parent
    program = shutil.which("docker-registry", path=f"{path}:{beside}")
    assert program, f"docker-registry is neither on PATH nor in {beside}"
    return program


def _listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """Its own log tells the port the system gave it: no port is guessed, so none can be taken by another."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text()):
            return found[1]
        time.sleep(0.01)
    raise AssertionError(f"the registry did not start:\n{log.read_text()}")


def certificate(folder: Path) -> tuple[Path, Path]:
    """Makes a self-signed certificate for 127.0.0.1 and localhost; returns it and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "domain.crt", folder / "domain.key"
    what = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=argosy test"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    where = ["-out", str(made[0]), "-keyout", str(made[1])]
    subprocess.run(["openssl", "req", "-x509", *what, *names, *where], check=True, capture_output=True)
    return made


# -- tokens


@dataclass
class TokenService:
    """A token service that gives USER what he asks for, except `denied` actions; `asked` holds every scope.

    `seconds` is how long its tokens live (0: they are expired when they arrive); `refresh` is an identity token, and
    `traded` holds every one that came to be traded for an access token.
    """

    certificate: tuple[Path, Path]
    seconds: int = 300
    denied: tuple[str, ...] = ()
    refresh: str = "identity-token-0815"
    asked: list[str] = field(default_factory=list)
    traded: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def section(self) -> dict[str, str]:
        """Distribution's `auth.token` section for this service."""
        return {
            "realm": self.url,
            "service": "quay",
            "issuer": "us",
            "rootcertbundle": str(self.certificate[0]),
        }

    def token(self, scope: str) -> str:
        """Returns a JSON Web Token for one scope, signed by openssl (RFC 7515, RS256)."""
        kind, name, actions = scope.split(":")
        granted = [action for action in actions.split(",") if action not in self.denied]
        now = int(time.time())
        der = "".join(self.certificate[0].read_text().split("-----")[2].split())
        claims = {"iss": "us", "sub": USER, "aud": "quay", "nbf": now - 600, "iat": now - 600}
        claims |= {"exp": now + self.seconds if self.seconds else now - 300, "jti": str(time.monotonic_ns())}
        claims |= {"access": [{"type": kind, "name": name, "actions": granted}]}
        signed = b".".join(
            _base64url(part) for part in ({"typ": "JWT", "alg": "RS256", "x5c": [der]}, claims)
        )
        sign = ["openssl", "dgst", "-sha256", "-sign", str(self.certificate[1])]
        signature = subprocess.run(sign, input=signed, capture_output=True, check=True).stdout
        return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def _base64url(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


@contextlib.contextmanager
def token_service(folder: Path) -> Iterator[TokenService]:
    """Runs a token service (https://distribution.github.io/distribution/spec/auth/token/)."""
    service = TokenService(certificate(folder))
    basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(_Quiet):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            self.give(query["scope"][0], "token", self.headers.get("Authorization") == basic)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            service.traded += form.get("refresh_token", [])
            known = form["grant_type"] == ["refresh_token"] and form["refresh_token"] == [service.refresh]
            self.give(form["scope"][0], "access_token", known)

        def give(self, scope: str, key: str, known: bool) -> None:
            service.asked.append(scope)
            self.answer(200, json.dumps({key: service.token(scope)}).encode()) if known else self.answer(
                401, b""
            )

    with _serving(Handler) as address:
        service.url = f"http://{address}/token"
        yield service


# -- a proxy that fails

IMMUTABLE = (
    b'{"errors":[{"code":"TAG_INVALID","message":"The image tag already exists and cannot be overwritten"}]}'
)


@dataclass
class Proxy:
    """Stands before a registry. `faults` are used up one for each request to a path that `at` matches.

    A fault is a status with headers (503, {}), "refuse" (the connection is closed without an answer), "cut" (the
    real answer's second half is missing) or "lost" (done, but the answer never comes). `seen` counts by method;
    `page` cuts lists of tags into pages of that length, which distribution 2.8 does not do itself, `bare` tells
    the next one by its query alone. With `permanent` a tag that stands is never written again, as registries with
    immutable tags have it; `refused` holds those tried.
    """

    host: str
    faults: list[tuple[int, dict[str, str]] | str] = field(default_factory=list)
    at: str = ""
    body: bytes = b"<html>nothing here</html>"
    page: int = 0
    bare: bool = False
    permanent: bool = False
    refused: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)


@contextlib.contextmanager
def proxy(behind: str) -> Iterator[Proxy]:
    """Runs a reverse proxy before the registry `behind`."""
    state = Proxy("")

    class Handler(_Quiet):
        def handle_any(self) -> None:
            state.seen[self.command] += 1
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = state.faults.pop(0) if state.faults and re.search(state.at, self.path) else None
            if isinstance(fault, tuple):
                self.answer(fault[0], state.body, fault[1])
                return
            self.close_connection = fault is not None
            if fault == "refuse":
                return
            if state.permanent and self.command == "PUT" and _stands(behind, self.path):
                state.refused.append(self.path)
                self.answer(409, IMMUTABLE, {"Content-Type": "application/json"})
                return
            upstream = http.client.HTTPConnection(behind)
            upstream.request(self.command, self.path, body, dict(self.headers))
            response = upstream.getresponse()
            content = response.read()
            headers = {k: v for k, v in response.getheaders() if k not in {"Content-Length", "Date"}}
            length = int(response.headers["Content-Length"] or 0) if self.command == "HEAD" else len(content)
            upstream.close()
            if fault == "lost":
                return
            if state.page and "/tags/list" in self.path:
                content = self.paged(content, headers)
                length = len(content)
            kept = content[: len(content) // 2] if fault == "cut" else content
            self.answer(response.status, kept, headers, length)

        def paged(self, content: bytes, headers: dict[str, str]) -> bytes:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            names = sorted(json.loads(content)["tags"])
            rest = [name for name in names if name > query.get("last", [""])[0]]
            if len(rest) > state.page:
                where = "" if state.bare else path
                headers["Link"] = f'<{where}?n={state.page}&last={rest[state.page - 1]}>; rel="next"'
            return json.dumps({"tags": rest[: state.page]}).encode()

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.handle_any)
    with _serving(Handler) as state.host:
        yield state


def _stands(registry: str, path: str) -> bool:
    """Whether a path is that of a tag which is there."""
    if "/manifests/" not in path or "/manifests/sha256:" in path:
        return False
    with contextlib.closing(http.client.HTTPConnection(registry)) as upstream:
        upstream.request("HEAD", path, headers={"Accept": ", ".join(KINDS)})
        return upstream.getresponse().status == 200


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Says nothing: the tests look at what was done."""

    def send_error(self, *_: object) -> None:
        """Docker speaks TLS first, and goes on in the clear only if it is told no in the words of HTTP."""
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def answer(
        self, status: int, body: bytes, headers: Mapping[str, str] | None = None, length: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextlib.contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

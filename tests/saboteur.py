"""A proxy before a registry that does one wrong thing to one request, named by method, path and ordinal."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.registries import Running

Key = tuple[str, str, str, int]
"""(registry, method, path without what changes from run to run, the how-manieth of these)."""

LATE_SECONDS = 2.0
WRITES = ("PUT", "DELETE", "POST", "PATCH")
KINDS = (
    "refused", "busy", "cut", "lost", "late", "false 404", "outage", "lost, then outage", "expired",
    "SIGKILL before", "SIGKILL after", "SIGINT", "SIGTERM", "registry killed",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One wrong thing; a `second` one may follow."""

    key: Key
    kind: str
    second: Fault | None = None

    def __str__(self) -> str:
        text = f"{self.kind} at {' '.join(map(str, self.key))}"
        return f"{text}, then {self.second}" if self.second else text


def suits(kind: str, key: Key) -> bool:
    """Whether a kind of fault differs from the others at this request."""
    writes = key[1] in WRITES
    if kind in {"lost", "late", "lost, then outage"}:
        return writes
    return not writes if kind == "false 404" else True


@dataclass
class Sea:
    """What lies between the release and both registries: counts requests, and knows the faults to come."""

    faults: list[Fault] = field(default_factory=list)
    seen: list[Key] = field(default_factory=list)
    struck: list[Fault] = field(default_factory=list)
    pid: int = 0
    outage: bool = False
    prefix: str = ""
    only: str = ""
    """What the user agent of those that are counted has in it; other programs meet an outage, and no other fault."""
    doomed: dict[str, Running] = field(default_factory=dict)
    """Registries of this sea's own, in place of those behind the proxies: what can be killed without harm to others."""
    _counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def calm(self, prefix: str) -> None:
        """Begins anew, without faults."""
        with self._lock:
            self.faults, self.seen, self.struck = [], [], []
            self.outage, self.prefix, self.pid = False, prefix, 0
            self._counts.clear()

    def meets(self, registry: str, method: str, path: str) -> str:
        """Counts a request and returns the kind of fault it meets, "" for none."""
        if self.prefix not in path and path != "/v2/":  # what a run before has left behind
            return "late comer"
        plain = re.sub(r"sha256:[0-9a-f]+", "DIGEST", path.replace(f"/v2/{self.prefix}/", ""))
        plain = re.sub(r"uploads/[^?]+\?.*", "uploads/ID", plain)
        with self._lock:
            self._counts[registry, method, plain] += 1
            key = (registry, method, plain, self._counts[registry, method, plain])
            self.seen.append(key)
            if self.outage:
                return "outage"
            for fault in self.faults:
                if fault.key == key:
                    self.faults.remove(fault)
                    self.faults += [fault.second] if fault.second else []
                    self.struck.append(fault)
                    self.outage = "outage" in fault.kind
                    return fault.kind
        return ""


ANSWERS = {
    "refused": (403, b'{"errors":[{"code":"DENIED","message":"not you"}]}'),
    "busy": (503, b"busy"),
    "false 404": (404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such thing"}]}'),
    "expired": (401, b'{"errors":[{"code":"UNAUTHORIZED","message":"token expired"}]}'),
}


class _Handler(BaseHTTPRequestHandler):
    """One connection; `sea`, `registry` and `behind` are set for each proxy."""

    protocol_version = "HTTP/1.1"
    sea: Sea
    registry: str
    behind: str

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def send_error(self, *_: object) -> None:
        """Docker speaks TLS first, and goes on in the clear only if it is told no in the words of HTTP."""
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.sea.only in self.headers.get("User-Agent", ""):
            kind = self.sea.meets(self.registry, self.command, self.path)
        else:
            kind = "outage" if self.sea.outage else ""
        if kind in ANSWERS:
            self.say(*ANSWERS[kind], {"Content-Type": "application/json"})
        elif kind in {"cut", "outage", "late", "late comer"}:
            if kind == "late":
                threading.Thread(target=self.deliver, args=(body, LATE_SECONDS), daemon=True).start()
            self.close_connection = True
        elif kind == "registry killed":
            threading.Thread(target=self.deliver, args=(body,), daemon=True).start()
            time.sleep(0.002)  # in the middle of it
            self.sea.doomed[self.registry].stop()
            self.close_connection = True
        elif kind == "SIGKILL before":
            self.close_connection = True
            os.kill(self.sea.pid, signal.SIGKILL)
        else:
            self.forward(kind, body)

    def forward(self, kind: str, body: bytes) -> None:
        if kind in {"SIGINT", "SIGTERM"}:
            os.kill(self.sea.pid, getattr(signal, kind))
        status, content, headers = self.deliver(body)
        if not status:  # there is no registry any more
            self.close_connection = True
            return
        if kind == "SIGKILL after":
            os.kill(self.sea.pid, signal.SIGKILL)
        if kind.startswith("lost") or kind == "SIGKILL after":
            self.close_connection = True
        else:
            self.say(status, content, headers)

    def deliver(self, body: bytes, after: float = 0.0) -> tuple[int, bytes, dict[str, str]]:
        time.sleep(after)
        doomed = self.sea.doomed.get(self.registry)
        upstream = http.client.HTTPConnection(doomed.host if doomed else self.behind, timeout=20)
        try:
            upstream.request(self.command, self.path, body, dict(self.headers))
            response = upstream.getresponse()
            headers = {k: v for k, v in response.getheaders() if k not in {"Date", "Connection"}}
            return response.status, response.read(), headers
        except (OSError, http.client.HTTPException):
            return 0 if doomed else 502, b"", {}
        finally:
            upstream.close()

    def say(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        if self.command != "HEAD" or "Content-Length" not in headers:
            headers = {k: v for k, v in headers.items() if k != "Content-Length"}
            headers["Content-Length"] = str(len(content))
        for name, value in headers.items():
            self.send_header(name, value)
        with contextlib.suppress(OSError):  # whoever asked may be dead by now
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)


for _method in ("GET", "HEAD", *WRITES):
    setattr(_Handler, f"do_{_method}", _Handler.handle_any)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A connection that breaks is what this is for."""


@contextlib.contextmanager
def sabotaged(sea: Sea, registry: str, behind: str) -> Iterator[str]:
    """Runs the proxy; yields its address."""
    handler = type("Handler", (_Handler,), {"sea": sea, "registry": registry, "behind": behind})
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()

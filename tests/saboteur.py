"""A proxy before a registry that does one wrong thing to one request, named by method, path and ordinal."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

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


@dataclass
class _Proxy:
    """What stands before one registry."""

    sea: Sea
    registry: str
    behind: str
    upstream: aiohttp.ClientSession
    later: set[asyncio.Task[web.Response | None]] = field(default_factory=set)
    """What is delivered when nobody waits for it any more; the event loop itself keeps no hold of its tasks."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request, or closes the connection without an answer."""
        body = await request.content.read()  # request.read() refuses what is over a megabyte
        found = await self.found(request, body, self.kind(request))
        if found is None and request.transport:
            request.transport.close()
        return found or web.Response()

    def kind(self, request: web.BaseRequest) -> str:
        if self.sea.only in request.headers.get("User-Agent", ""):
            return self.sea.meets(self.registry, request.method, request.raw_path)
        return "outage" if self.sea.outage else ""

    async def found(self, request: web.BaseRequest, body: bytes, kind: str) -> web.Response | None:
        """What is answered to a request that meets this kind of fault; None for nothing at all."""
        if kind in ANSWERS:
            status, said = ANSWERS[kind]
            return web.Response(status=status, body=said, content_type="application/json")
        if kind in {"cut", "outage", "late comer"}:
            return None
        if kind in {"late", "registry killed"}:
            self.deliver_later(request, body, LATE_SECONDS if kind == "late" else 0.0)
            if kind == "registry killed":
                await asyncio.sleep(0.002)  # in the middle of it
                self.sea.doomed[self.registry].stop()
            return None
        if kind in {"SIGINT", "SIGTERM", "SIGKILL before"}:
            os.kill(self.sea.pid, getattr(signal, kind.removesuffix(" before")))
            if kind == "SIGKILL before":
                return None
        answer = await self.deliver(request, body)
        if kind == "SIGKILL after":
            os.kill(self.sea.pid, signal.SIGKILL)
        return None if kind.startswith("lost") or kind == "SIGKILL after" else answer

    def deliver_later(self, request: web.BaseRequest, body: bytes, after: float) -> None:
        task = asyncio.create_task(self.deliver(request, body, after))
        self.later.add(task)
        task.add_done_callback(self.later.discard)

    async def deliver(self, request: web.BaseRequest, body: bytes, after: float = 0.0) -> web.Response | None:
        """Passes a request on and returns the answer; None if there is no registry any more."""
        await asyncio.sleep(after)
        doomed = self.sea.doomed.get(self.registry)
        url = URL(f"http://{doomed.host if doomed else self.behind}{request.raw_path}", encoded=True)
        try:
            async with self.upstream.request(
                request.method,
                url,
                data=io.BytesIO(body) if body else None,
                headers=_passed_on(request.headers),
                allow_redirects=False,
            ) as response:
                content = await response.read()
        except (aiohttp.ClientError, OSError):
            return None if doomed else web.Response(status=502)
        headers = _passed_on(response.headers)
        if request.method == "HEAD" and "Content-Length" in response.headers:
            headers["Content-Length"] = response.headers["Content-Length"]
        return web.Response(status=response.status, body=content or None, headers=headers)


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a message without those that hold for one connection alone, and without its length."""
    own = {"connection", "content-length", "date", "transfer-encoding"}
    return {name: value for name, value in headers.items() if name.lower() not in own}


@contextlib.contextmanager
def sabotaged(sea: Sea, registry: str, behind: str) -> Iterator[str]:
    """Runs the proxy in a thread of its own; yields its address."""
    started: Future[tuple[str, Callable[[], object]]] = Future()

    async def serve() -> None:
        # Each request on a connection of its own: a registry that was killed leaves none behind it.
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        timeout = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False
        ) as upstream:
            server = web.Server(_Proxy(sea, registry, behind, upstream).answer, access_log=None)
            runner = web.ServerRunner(server, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            loop, over = asyncio.get_running_loop(), asyncio.Event()
            host, port = runner.addresses[0]
            started.set_result((f"{host}:{port}", lambda: loop.call_soon_threadsafe(over.set)))
            await over.wait()
            await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    address, end = started.result(20)
    try:
        yield address
    finally:
        end()
        thread.join()

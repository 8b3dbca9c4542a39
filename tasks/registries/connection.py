"""How one HTTP request goes out: pooled connections, time limits, proxies, redirects.

Knows URLs and bytes; no logins and no registry protocol. Each hop of a redirect has its own proxy, or none.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ..errors import SurroundingsError
from . import trust
from .request import READ_SECONDS, Answer

if TYPE_CHECKING:
    import urllib3

CONNECT_SECONDS = 5.0
_BLOCK = 1 << 20
_HOPS = 10
# More connections than any caller has threads: one beyond would be thrown away after each request.
_POOL = 32


class Connections:
    """Connections to one address and to wherever it sends us, for any number of threads at once."""

    def __init__(self, address: str, env: Mapping[str, str]) -> None:
        self._address, self._env = address, env
        self._pools: dict[tuple[bool, str], urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        seconds: float = READ_SECONDS,
        into: IO[bytes] | None = None,
        follow: bool = True,
    ) -> Answer:
        """Sends one request, once, and returns the answer; the body of a good one goes `into` a file if one is given.

        What is to be written is sent elsewhere only if the redirect keeps its method (307, 308), and a login never.
        Raises urllib3's HTTPError, OSError or ValueError where no answer comes, SurroundingsError where the disk
        takes no more or a certificate cannot be used.
        """
        import urllib3

        limits = urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds)
        sent, at = {"User-Agent": "argosy", **(headers or {})}, url
        for _ in range(_HOPS):
            response = self._pool(at).request(
                method,
                at,
                body=body,
                headers=sent,
                timeout=limits,
                retries=False,
                redirect=False,
                preload_content=into is None,
            )
            to = response.get_redirect_location() if follow else None
            if not to or (method not in {"GET", "HEAD"} and response.status not in {307, 308}):
                elsewhere = _origin(at) != _origin(url)
                if into is None or response.status != 200:
                    return Answer(response.status, response.headers, response.data, elsewhere)
                _write(response, into)
                return Answer(response.status, response.headers, b"", elsewhere)
            response.drain_conn()
            at = urljoin(at, to)
            if _origin(at) != _origin(url):
                sent.pop("Authorization", None)
        raise urllib3.exceptions.HTTPError(f"more than {_HOPS} redirects")

    def _pool(self, url: str) -> urllib3.PoolManager:
        import urllib3

        tls, proxy = url.startswith("https:"), trust.proxy(url)
        with self._lock:
            found = self._pools.get((tls, proxy))
            if found is None:
                # Reading the authorities takes 20 ms and more, which plain HTTP need not wait for.
                context = trust.context(self._address, self._env) if tls else None
                found = (
                    urllib3.ProxyManager(
                        proxy, maxsize=_POOL, ssl_context=context, proxy_headers=trust.proxy_login(proxy)
                    )
                    if proxy
                    else urllib3.PoolManager(maxsize=_POOL, ssl_context=context)
                )
                self._pools[tls, proxy] = found
            return found


def _origin(url: str) -> tuple[str, str]:
    return urlsplit(url)[:2]


def _write(response: urllib3.BaseHTTPResponse, into: IO[bytes]) -> None:
    """Writes a body into a file, block by block, from the file's start."""
    into.seek(0)
    into.truncate()
    try:
        for block in response.stream(_BLOCK):
            try:
                into.write(block)
            except OSError as error:
                raise SurroundingsError(f"cannot keep what a registry sends: {error.strerror}") from None
    finally:
        response.close()

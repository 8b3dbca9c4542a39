"""Debian's packages come from any mirror, and whatever differs from what Debian signed is refused.

The mirror is Debian's own behind a proxy on loopback, which changes one byte on the way.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.scenario import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from private_engine import packages
from private_engine.machine import RELEASE, this_machine
from private_engine.problem import ProblemError
from private_engine.progress import Progress

pytestmark = pytest.mark.engine

SMALL = packages.Package("libmnl0", RELEASE)


@contextmanager
def mirror(spoiled: str) -> Iterator[str]:
    """Gives the address of a mirror that changes one byte of each file with this word in its path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                with urlopen(packages.MIRROR + self.path.removeprefix("/debian")) as answer:
                    body = bytearray(answer.read())
            except HTTPError as error:
                self.send_error(error.code)
                return
            if spoiled and spoiled in self.path:
                body[len(body) // 2] ^= 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/debian"
        server.shutdown()


def brought(spoiled: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Brings one small package through such a mirror; returns the names of the libraries that came."""
    with mirror(spoiled) as address:
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
        monkeypatch.setenv("ARGOSY_DEBIAN_MIRROR", address)
        tree = packages.programs(this_machine(), Progress(io.StringIO()), (SMALL,))
    return {path.name for path in tree.rglob("*.so*")}


def test_what_debian_signed_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "libmnl.so.0" in brought("", tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        ("/InRelease", "signature"),  # the list of lists, which is signed
        ("/by-hash/", "Hash Sum mismatch"),  # a list of packages
        (".deb", "Hash Sum mismatch"),  # a package
    ],
)
def test_one_changed_byte_is_refused_wherever_it_is(
    spoiled: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProblemError, match=said):
        brought(spoiled, tmp_path, monkeypatch)
    left = {path.name for path in (tmp_path / "argosy" / "packages").iterdir()}
    assert not {name for name in left if name.startswith(("programs-", ".unpacking"))}

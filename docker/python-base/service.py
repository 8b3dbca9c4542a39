"""What every Python service of the fleet shares: its command line, /health and a clean end.

A service is a name, a version and one function from a path to a reply.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.request import urlopen


class Reply(NamedTuple):
    """The body of an answer and what kind of body it is."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"


Answer = Callable[[str], Reply | None]  # None: there is nothing at this path


def as_json(value: object) -> Reply:
    """A value as a JSON document."""
    return Reply(json.dumps(value).encode() + b"\n", "application/json")


class Handler(BaseHTTPRequestHandler):
    """Answers /health itself and asks the service for every other path."""

    timeout = 5  # seconds; a silent client must not hold up the end of the service

    def __init__(self, answer: Answer, *args: object) -> None:
        self.answer = answer
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """One request, one reply."""
        path = self.path.partition("?")[0]
        reply = Reply(b"ok\n") if path == "/health" else self.answer(path)
        if reply is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)


class Server(ThreadingHTTPServer):
    """Lets the requests in flight finish before it ends."""

    daemon_threads = False


def serve(port: int, answer: Answer) -> None:
    """Serve until SIGTERM or Ctrl-C. The first process of a container must take SIGTERM itself."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: sys.exit(0))
    with Server(("", port), partial(Handler, answer)) as server:
        server.serve_forever()


def healthy(port: int) -> bool:
    """Whether the service beside us answers; this is the image's HEALTHCHECK."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
            return True
    except OSError:
        return False


def run(name: str, version: str, answer: Answer) -> None:
    """The main function of a service: `serve` (when nothing is said), `health` or `--version`."""
    parser = ArgumentParser(prog=name)
    parser.add_argument("--version", action="version", version=f"{name} {version}")
    parser.add_argument("command", nargs="?", choices=["serve", "health"], default="serve")
    command = parser.parse_args().command
    port = int(os.environ.get("PORT", "8080"))
    if command == "health":
        sys.exit(0 if healthy(port) else 1)
    serve(port, answer)

"""A TCP port that speaks BuildKit's own API for a Docker Engine: what makes it a node of a remote builder.

dockerd serves that API over HTTP/2 after `POST /grpc` with `Upgrade: h2c`. buildx's docker-container driver can have
it too: BuildKit's image is on no registry in reach, so a container stands in for it whose `buildctl dial-stdio` leads
to that port. What the driver does is all real: it pulls, creates, starts, asks, stops and removes that container.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

UPGRADE = b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


@contextlib.contextmanager
def bridge(docker_host: str) -> Iterator[str]:
    """Runs a bridge to the engine at `docker_host` ("unix:///…") and yields its endpoint, "tcp://127.0.0.1:…"."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as engine:
                engine.connect(docker_host.removeprefix("unix://"))
                engine.sendall(UPGRADE)
                answer = b""
                while not answer.endswith(b"\r\n\r\n"):
                    answer += engine.recv(1)
                assert b" 101 " in answer, answer
                back = threading.Thread(target=_copy, args=(engine, self.request), daemon=True)
                back.start()
                _copy(self.request, engine)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


BOX = """\
FROM busybox:stable
COPY --chmod=755 <<END /usr/bin/buildkitd
#!/bin/sh
exec sleep 100000
END
COPY --chmod=755 <<'END' /usr/bin/buildctl
#!/bin/sh
case "$*" in *dial-stdio*) exec nc 127.0.0.1 {port} ;; esac
END
ENTRYPOINT ["buildkitd"]
"""


@contextlib.contextmanager
def boxed(env: Mapping[str, str], registry: str, folder: Path) -> Iterator[str]:
    """Yields the options of a docker-container node that is no less real than its engine's own BuildKit."""
    with bridge(env["DOCKER_HOST"]) as endpoint:
        (folder / "box").mkdir()
        (folder / "box" / "Dockerfile").write_text(BOX.format(port=endpoint.rpartition(":")[2]))
        reference = f"{registry}/stand-ins/buildkit:{uuid.uuid4().hex[:8]}"
        build = ["docker", "buildx", "build", "--quiet", "--push", "--tag", reference, str(folder / "box")]
        subprocess.run(build, env=env, check=True, capture_output=True)
        yield f"image={reference},network=host"
        subprocess.run(["docker", "image", "rm", reference], env=env, check=True, capture_output=True)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)

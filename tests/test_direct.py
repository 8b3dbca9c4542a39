"""Images that the engine is asked for over its socket: the answers are its client's, who is asked where it is not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from threading import Thread

import pytest

from tasks.engine import direct, images
from tests.conftest import PrivateEngine
from tests.scenario import Fleet


@pytest.mark.engine
def test_the_answers_are_those_of_the_client(
    real: Fleet, asked: PrivateEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{real.registry}/{real.owner}/image-{number}:1" for number in range(6)]
    for name in names[1:]:
        asked.imported(name)
    by_id = str(images.inspect("docker", [names[1]])[names[1]]["Id"])
    told = direct.look(direct.place(), [*names, by_id])
    assert told is not None
    assert told.keys() == {*names[1:], by_id}
    monkeypatch.setattr(direct, "place", lambda: "")
    assert images.inspect("docker", [*names, by_id]) == told


@pytest.mark.engine
def test_what_the_engine_says_of_itself_is_what_its_client_says(engine: PrivateEngine) -> None:
    told = direct.info(engine.env["DOCKER_HOST"].removeprefix("unix://"))
    assert told is not None
    client = json.loads(engine.docker("info", "--format", "{{json .}}"))
    for key in ("ServerVersion", "DriverStatus", "OSType", "Architecture", "DockerRootDir"):
        assert told[key] == client[key]


def test_an_engine_that_does_not_say_who_it_is_is_left_to_its_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "SHORT", 0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        assert direct.info(str(tmp_path / "s")) is None


class _Odd(BaseHTTPRequestHandler):
    """Something that is no engine."""

    status, body = 200, b"<html>"

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[str]:
    with ThreadingUnixStreamServer(str(tmp_path / "s"), _Odd) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield str(tmp_path / "s")
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "is_absent"),
    [
        (200, b"<html>", False),
        (200, b"{}", False),
        (404, b"[]", False),
        (500, b'{"message": "no"}', False),
        (404, b'{"message": "page not found"}', False),
        (404, b'{"message": "No such image: a:1"}', True),
    ],
)
def test_what_is_unusual_is_left_to_the_client(
    odd: str, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, is_absent: bool
) -> None:
    monkeypatch.setattr(_Odd, "status", status)
    monkeypatch.setattr(_Odd, "body", body)
    assert direct.look(odd, ["a:1"]) == ({} if is_absent else None)


@pytest.mark.parametrize(
    ("config", "environ", "place"),
    [
        (None, {}, "/var/run/docker.sock"),
        ({"currentContext": "default"}, {}, "/var/run/docker.sock"),
        ({"currentContext": "rootless"}, {}, ""),
        ([], {}, ""),
        ({}, {"DOCKER_CONTEXT": "elsewhere"}, ""),
        ({"currentContext": "rootless"}, {"DOCKER_HOST": "unix:///run/mine.sock"}, "/run/mine.sock"),
        (None, {"DOCKER_HOST": "ssh://ada@host"}, ""),
    ],
)
def test_only_a_socket_that_needs_no_client_to_be_found_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: object, environ: dict[str, str], place: str
) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"DOCKER_CONFIG": str(tmp_path), **environ}.items():
        monkeypatch.setenv(name, value)
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    assert direct.place() == place

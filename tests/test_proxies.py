"""The docker client's proxies: buildx makes arguments of them, and what declares those is another image."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tasks.engine.proxies import arguments
from tests.conftest import PrivateEngine
from tests.scenario import Fleet

PROXY = {"httpProxy": "http://proxy:1", "noProxy": ""}


def configured(folder: Path, **proxies: object) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"proxies": proxies}))
    return {"DOCKER_CONFIG": str(folder)}


def test_each_is_an_argument_in_both_spellings(tmp_path: Path) -> None:
    env = configured(tmp_path, default=PROXY)
    assert arguments(env) == {"HTTP_PROXY": "http://proxy:1", "http_proxy": "http://proxy:1"}


def test_an_engine_may_have_its_own(tmp_path: Path) -> None:
    env = configured(tmp_path, default=PROXY, **{"tcp://there:1": {"ftpProxy": "f"}})
    assert arguments(env | {"DOCKER_HOST": "tcp://there:1"}) == {"FTP_PROXY": "f", "ftp_proxy": "f"}
    assert arguments(env | {"DOCKER_HOST": "tcp://elsewhere:1"}) == arguments(env)


@pytest.mark.parametrize("text", ["", "{", '{"proxies": 1}', '{"proxies": {"default": 1}}', "[]"])
def test_what_docker_cannot_read_has_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    assert arguments({"DOCKER_CONFIG": str(tmp_path)}) == {}
    assert arguments({"HOME": str(tmp_path / "nowhere")}) == {}


@pytest.mark.engine
def test_an_image_that_declares_one_is_built_anew_where_it_is_another(
    real: Fleet, engine: PrivateEngine, tmp_path: Path
) -> None:
    real.image("api", "FROM busybox:stable\nARG HTTP_PROXY\nRUN echo $HTTP_PROXY > /p\n")
    real.image("web", "FROM busybox:stable\nRUN echo web > /p\n")
    real.toml("[images.api]\n[images.web]\n")
    real.inv("build").ok()
    for entry in Path(real.env["DOCKER_CONFIG"]).iterdir():
        (tmp_path / "docker").mkdir(exist_ok=True)
        if entry.name != "config.json":
            os.symlink(entry, tmp_path / "docker" / entry.name)  # noqa: PTH211 - reads as cp does
    env = configured(tmp_path / "docker", default=PROXY)
    images = real.inv("plan --format json", env=env).ok().json["images"]
    reasons = {one["name"]: one["reason"] for one in images}
    assert reasons["web"] == "unchanged"
    assert reasons["api"].startswith("argument HTTP_PROXY unset -> sha256:"), "it may hold a password"
    assert "proxy:1" not in real.inv("plan --why api", env=env).ok().out
    real.inv("build", env=env).ok()
    reference = f"{real.registry}/{real.owner}/api:0.1.0"
    assert engine.docker("run", "--rm", reference, "cat", "/p") == "http://proxy:1"

"""Builds Dockerfiles with the real BuildKit, many at a time, and reads back what it made of them."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import PrivateEngine

PLATFORM = "linux/amd64"


@dataclass(frozen=True)
class Case:
    """One Dockerfile and how it is built."""

    text: str
    args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    platform: str = PLATFORM
    contexts: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Image:
    """The parts of an image that a Dockerfile's text decides."""

    env: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Image:
        return Image(dict(self.env), json.loads(json.dumps(self.config)), dict(self.files))


def buildx(engine: PrivateEngine, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs buildx; a newer one asks before a bake file reads outside the working folder, and is answered."""
    call, env = ["docker", "buildx", *words], engine.env | {"BUILDX_BAKE_ENTITLEMENTS_FS": "0"}
    return subprocess.run(call, input=stdin, capture_output=True, text=True, env=env, check=False)


def bake(engine: PrivateEngine, cases: Mapping[str, Case], folder: Path, output: str) -> str:
    """Builds all cases in one call; {name} in `output` is the case's. Returns BuildKit's log."""
    targets = {}
    for name, case in cases.items():
        path = folder / f"{name}.Dockerfile"
        path.write_text(case.text, encoding="utf-8", newline="")
        targets[name] = {
            "context": str(folder),
            "dockerfile": str(path),
            "args": dict(case.args),
            "contexts": dict(case.contexts),
            "platforms": [case.platform],
            "target": case.target or "",
            "output": [output.format(name=name)],
            "attest": ["type=provenance,disabled=true"],
        }
    definition = {"group": {"default": {"targets": list(targets)}}, "target": targets}
    done = buildx(engine, "bake", "-f", "-", "--progress=plain", stdin=json.dumps(definition))
    assert done.returncode == 0, done.stderr
    return done.stderr


def exported(archive: Path) -> tuple[Image, list[str]]:
    """Reads the image that BuildKit wrote as an OCI archive, and its history."""
    with tarfile.open(archive) as tar:

        def blob(name: str) -> bytes:
            opened = tar.extractfile(name)
            assert opened is not None
            return opened.read()

        def by_digest(description: Mapping[str, str]) -> bytes:
            return blob("blobs/" + description["digest"].replace(":", "/"))

        manifest = json.loads(by_digest(json.loads(blob("index.json"))["manifests"][0]))
        description = json.loads(by_digest(manifest["config"]))
        image = Image()
        for layer in manifest["layers"] or []:
            with tarfile.open(fileobj=io.BytesIO(gzip.decompress(by_digest(layer)))) as files:
                for member in files:
                    opened = files.extractfile(member) if member.isfile() else None
                    if opened and member.size < 10_000:
                        image.files["/" + member.name] = opened.read().decode()
    config = description["config"]
    pairs = (entry.partition("=") for entry in config.pop("Env", []))
    image.env = {name: value for name, _, value in pairs if name != "PATH"}
    config.pop("ArgsEscaped", None)
    if "Healthcheck" in config:
        config["Healthcheck"] = config["Healthcheck"]["Test"]
    image.config = {key: value for key, value in config.items() if value and value != "/"}
    return image, [entry["created_by"] for entry in description["history"] or []]

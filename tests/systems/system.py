"""A system's tree as a test's own: copied, with names of this run, and stand-ins for the bases it is FROM.

The trees say `FROM alpine:3.19` as the real ones do. No registry is in reach, so the copy's build.toml gets a [mirror]
that names stand-ins in the private registry: busybox, and shell programs in the place of compilers and packages.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests import harbour
from tests.conftest import PrivateEngine
from tests.scenario import ROOT, Fleet

SYSTEMS = ROOT / "tests" / "systems"
STAND_INS = SYSTEMS / "stand_ins"
BOTH = "linux/amd64,linux/arm64"


def own(word: str) -> str:
    """Makes a name of this run's own that begins like `word`: several runs share an engine and a registry."""
    return f"{word}-{secrets.token_hex(3)}"


def copied(name: str, folder: Path, words: Mapping[str, str], ignored: tuple[str, ...] = ()) -> Path:
    """Copies a system's tree, every one of `words` replaced where it stands by itself or begins a name."""
    root = folder / name
    shutil.copytree(SYSTEMS / name, root, ignore=shutil.ignore_patterns(*ignored))
    pattern = re.compile("|".join(rf"(?<![\w-]){re.escape(word)}(?!\w)" for word in words) or "(?!)")
    for file in (path for path in root.rglob("*") if path.is_file()):
        text = file.read_text()
        if (mine := pattern.sub(lambda match: words[match[0]], text)) != text:
            file.write_text(mine)
    return root


def system(
    engine: PrivateEngine,
    name: str,
    folder: Path,
    words: Mapping[str, str] | None = None,
    mirror: Mapping[str, str] | None = None,
) -> Fleet:
    """A copy of a system's tree whose commands meet the private engine, `argosy` and `inv` on their PATH."""
    root = copied(name, folder, words or {})
    lines = (f'"{base}" = "{stand_in}"\n' for base, stand_in in (mirror or {}).items())
    with (root / "build.toml").open("a") as file:
        file.write("\n[mirror]\n" + "".join(lines))
    env = engine.env | {
        "XDG_STATE_HOME": str(folder / "state"),
        "PATH": f"{Path(sys.executable).parent}:{engine.env['PATH']}",
    }
    env.pop("ARGOSY_REGISTRY", None)
    return Fleet(root, env, registry=engine.registry)


def stand_in(
    engine: PrivateEngine,
    kind: str,
    base: str,
    platforms: str = BOTH,
    contexts: Mapping[str, Path] | None = None,
) -> str:
    """Makes a stand-in for `base` in the private registry and returns its reference; the same one every time.

    What it is made of is part of its name: tests that run side by side may need different ones for the same base.
    """
    kinds = {"kind": STAND_INS / kind, **(contexts or {})}
    reference = f"{engine.registry}/stand-ins/{digest(kinds)}/{base}"
    more = [f"--build-context={name}={path}" for name, path in (contexts or {}).items()]
    command = ["docker", "buildx", "build", "--push", "--provenance=false", "--platform", platforms]
    done = subprocess.run(
        [*command, "-t", reference, *more, str(STAND_INS / kind)],
        env=engine.env | {"SOURCE_DATE_EPOCH": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return reference


def digest(folders: Mapping[str, Path]) -> str:
    """A word for what some folders hold."""
    found = hashlib.sha256()
    for name, folder in sorted(folders.items()):
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            text = hashlib.sha256(file.read_bytes()).hexdigest()
            found.update(f"{name}/{file.relative_to(folder)} {text}\n".encode())
    return found.hexdigest()[:12]


def docker_package(folder: Path, engine: PrivateEngine) -> Path:
    """Lays out the docker client, with the libraries it is linked to, as a package of the debian stand-in."""
    client = Path(shutil.which("docker", path=engine.env["PATH"]) or "docker").resolve()
    listed = subprocess.run(["ldd", str(client)], capture_output=True, text=True, check=False).stdout
    for file in (Path(path) for path in re.findall(r"(/\S+) \(0x", listed)):
        target = folder / "docker.io" / file.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file.resolve(), target)
    target = folder / "docker.io" / "usr" / "bin" / "docker"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(client, target)
    return folder


def names(engine: PrivateEngine, word: str) -> set[str]:
    """The names in the engine with `word` in them; addresses are no names."""
    found = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return {name for name in found if word in name and ":argosy-" not in name}


def published(registry: str, repository: str) -> set[str]:
    """The names a repository has in a registry; addresses are no names."""
    return {tag for tag in harbour.tags(registry, repository) if not tag.startswith("argosy-")}


def checks(
    fleet: Fleet, line: str, code: int, env: Mapping[str, str] | None = None
) -> dict[tuple[str, str], dict[str, Any]]:
    """Runs `test`, `lint` or `scan`, which ends with this code: (image, check) -> what came of it."""
    found = fleet.inv(f"{line} --json", env=env)
    assert found.code == code, found.out + found.err
    return {(one["image"], one["name"]): one for one in found.json["checks"]}


def edit(fleet: Fleet, path: str, old: str, new: str) -> None:
    """Changes a file of the tree; what is changed must be there."""
    text = (fleet.root / path).read_text()
    assert old in text
    (fleet.root / path).write_text(text.replace(old, new))

"""The README's three commands, word for word, in a fresh clone that has no git remote."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import harbour
from tests.conftest import PrivateEngine
from tests.pages import steps
from tests.reader import own_name
from tests.scenario import ROOT, Fleet

COMMANDS = (
    "make container-build",
    "inv build --platforms linux/amd64,linux/arm64",
    "inv release --tag v0.2.0",
)


@pytest.fixture
def clone(engine: PrivateEngine, owners: set[str], tmp_path: Path) -> Iterator[Fleet]:
    """A clone with this checkout's files as they are now, its programs and its engine; its names are its own."""
    made = Fleet(
        tmp_path / "argosy", engine.env | {"XDG_STATE_HOME": str(tmp_path / "state")}, engine.registry
    )
    # Without the checkout's tags: once it has released v0.2.0 itself, that one stands elsewhere.
    subprocess.run(
        ["git", "clone", "-q", "--no-tags", str(ROOT), str(made.root)], check=True, capture_output=True
    )
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = made.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
    # What a bare clone makes first is there already, this checkout lends it: the engine, the bases, the environment.
    shutil.rmtree(made.root / "scripts")
    (made.root / "scripts").symlink_to(ROOT / "scripts")
    made.commit()
    made.git("remote", "remove", "origin")
    (made.root / ".venv").mkdir()
    (made.root / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (made.root / ".venv" / ".ready").touch()
    word = own_name("argosy")
    owners.add(word)
    made.owner = f"{word}/argosy"
    made.env |= {"ARGOSY_REGISTRY": f"{engine.registry}/{word}"}
    made.env |= {"PATH": f"{Path(sys.executable).parent}:{engine.env['PATH']}"}
    yield made
    shutil.rmtree(made.root)


@pytest.mark.engine
@pytest.mark.timeout(900)
def test_the_three_commands_end_well_in_a_fresh_clone(clone: Fleet) -> None:
    for command in COMMANDS:
        ran = clone.run(*command.split()).ok()
    assert "no remote" in ran.err
    commit = clone.git("rev-parse", "HEAD")
    assert clone.git("rev-parse", "v0.2.0^{commit}") == commit
    found = harbour.manifest(clone.registry, f"{clone.owner}/gateway", "v0.2.0")
    assert found.json["annotations"]["org.opencontainers.image.revision"] == commit
    assert clone.git("status", "--porcelain") == ""
    assert "27 of 27 names stand" in clone.run("inv", "verify", "v0.2.0").ok().out


def test_they_are_what_the_readme_shows() -> None:
    shown = [command.text for step in steps(ROOT / "README.md") for command in step.commands]
    assert set(COMMANDS) <= set(shown)

"""What git says of the folder: read once, as a value. It knows nothing of versions or tags' meaning."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ..errors import ConfigError
from ..planning.facts import Git

# One process for commit, date, branch and tags on HEAD; describe and the tree's state need their own.
FORMAT = "%H%n%cI%n%D"
PLAIN = ("-c", "log.showSignature=false")
"""What a person may have set, and would make git's answers other than those that are read here."""


def read(root: Path) -> Git | None:
    """Returns the repository's state, or None where there is no git, no repository or no commit."""
    head = _git(root, "log", "-1", f"--format={FORMAT}", "--decorate=full")
    if head is None:
        return None
    sha, moment, names = [*head.split("\n"), "", ""][:3]
    branch, tags = "", []
    for name in names.split(", "):
        if name.startswith("HEAD -> refs/heads/"):
            branch = name.removeprefix("HEAD -> refs/heads/")
        if name.startswith("tag: refs/tags/"):
            tags.append(name.removeprefix("tag: refs/tags/"))
    describe = _git(root, "describe", "--tags", "--first-parent", "--always", "--long") or sha[:7]
    exact = _git(root, "describe", "--tags", "--exact-match") if tags else ""
    dirty = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    if "-g" not in describe:
        # No tag is in reach: the form others use for "before the first version".
        describe = f"v0.0.0-0-g{sha[:7]}"
    return Git(sha, branch, exact or "", exact or describe, moment[:10], dirty, moment)


def refusal(root: Path) -> str:
    """Returns why git does not read the repository that `root` is in, "" where there is none or it does.

    Above all: one that belongs to another user, as checkouts in CI's containers often do.
    """
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return ""
    try:
        call = ["git", "-C", str(root), "rev-parse", "--git-dir"]
        done = subprocess.run(call, capture_output=True, text=True, errors="replace", check=False, timeout=30)
    except FileNotFoundError:
        return "there is no git on PATH"
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stderr.strip() if done.returncode else ""


def merge_base(root: Path, ref: str) -> str:
    """Returns the commit where HEAD left `ref`. Raises ConfigError where there is none."""
    if _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}") is None:
        raise ConfigError(
            f'"{ref}" is no commit here. Name a branch, tag or commit that is fetched (CI checkouts are often shallow: '
            "fetch-depth: 0)."
        )
    found = _git(root, "merge-base", "HEAD", ref)
    if not found:
        raise ConfigError(f'HEAD and "{ref}" have no commit in common')
    return found


def lay_out(root: Path, commit: str, folder: Path) -> Path:
    """Writes a commit's files into `folder`, as a checkout would, and returns where `root` is among them.

    The index used is one of its own: the repository's stays as it is. Raises ConfigError where git fails.
    """
    environ = {**os.environ, "GIT_INDEX_FILE": str(folder / "index")}
    top = _git(root, "rev-parse", "--show-toplevel")
    prefix = _git(root, "rev-parse", "--show-prefix") or "."
    files = folder / "files"
    files.mkdir()
    for arguments in (["read-tree", commit], ["checkout-index", "--all", f"--prefix={files}/"]):
        call = ["git", "-C", top or str(root), *arguments]
        done = subprocess.run(
            call, env=environ, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode != 0:
            raise ConfigError(f"git cannot lay out {commit[:7]}: {done.stderr.strip()}")
    return files / prefix


def _git(root: Path, *arguments: str) -> str | None:
    # Looking must not get in the way of the git that a person runs meanwhile: no lock, no refreshed index.
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *PLAIN, *arguments],
            capture_output=True,
            text=True,
            errors="replace",  # a branch's name need not be UTF-8
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

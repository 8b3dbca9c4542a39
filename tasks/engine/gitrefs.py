"""What a release asks of git, and leaves there: the commit's time, the remote's address, a lock, a tag.

It knows nothing of versions or registries. Nothing here asks a person anything: no prompt, no editor.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..errors import RefusedError, SurroundingsError
from .git import PLAIN

LOCK = "refs/argosy/lock"
SECONDS = 60
_NOBODY = {"NAME": "argosy", "EMAIL": "argosy@localhost"}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock: the object it points to, and what that says."""

    object: str
    said: str


def committed(root: Path, commit: str) -> str:
    """Returns a commit's time as "2026-11-22T21:00:00Z", "" without a commit."""
    _, text = _git(root, "log", "-1", "--format=%ct", commit) if commit else (False, "")
    return datetime.fromtimestamp(int(text), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if text else ""


def changed(root: Path, beside: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns the files that differ from HEAD, those that are new and not ignored among them.

    They are those below `root`, and at the places `beside` it that belong to the same repository. Raises RefusedError
    where git cannot tell: a tree of which nothing is known is not clean.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel")[1] or root).resolve()
    within = [path for path in beside if (root / path).resolve().is_relative_to(top)]
    told, text, why = _asked(root, "status", "--porcelain", "--untracked-files=normal", "--", ".", *within)
    if not told:
        raise RefusedError(
            f"git status cannot tell in {root} which files differ from the commit: {why}. "
            "Mend that first; nothing was done."
        )
    return tuple(line[2:].strip() for line in text.splitlines())


def head(root: Path) -> str:
    """Returns the commit that HEAD is, "" without one."""
    return _git(root, "rev-parse", "--verify", "--quiet", "HEAD")[1]


def origin(root: Path) -> str:
    """Returns the address of the remote `origin`, "" without one."""
    return _git(root, "remote", "get-url", "origin")[1]


def web(address: str) -> str:
    """Returns a remote's address as people open it: https, without any login; "" for a folder."""
    ssh = re.fullmatch(r"(?:ssh://)?(?:[^@/]+@)?([^:/]+\.[^:/]+)(?::(?:\d+/)?|/)(.+?)(?:\.git)?/?", address)
    url = re.fullmatch(r"https?://(?:[^@/]*@)?(.+?)(?:\.git)?/?", address)
    if url:
        return f"https://{url[1]}"
    return f"https://{ssh[1]}/{ssh[2]}" if ssh and "://" not in address.removeprefix("ssh://") else ""


def take(root: Path, said: str, instead_of: str = "") -> str:
    """Takes the lock at origin and returns its object, "" if it could not be.

    A compare-and-swap at the remote: it succeeds only if the lock is not there, or is `instead_of`. The object is
    a commit of its own: two runs at the same commit would push the same thing and both be told "up to date".
    Raises SurroundingsError where origin does not answer.
    """
    made, commit = _git(root, "commit-tree", "HEAD^{tree}", "-m", said)
    if not made:
        return ""
    lease = f"--force-with-lease={LOCK}:{instead_of}"
    pushed, _ = _git(root, "push", "--no-verify", "--quiet", lease, "origin", f"{commit}:{LOCK}")
    # A push whose answer was lost has happened as surely as any other.
    return commit if pushed or at_origin(root) == commit else ""


def holder(root: Path) -> Holder | None:
    """Returns who holds the lock at origin, None if nobody does. Raises SurroundingsError where it does not answer."""
    if not (commit := at_origin(root)):
        return None
    _git(root, "fetch", "--quiet", "--no-write-fetch-head", _pushed_to(root), LOCK)
    return Holder(commit, _git(root, "log", "-1", "--format=%B", commit)[1])


def at_origin(root: Path, ref: str = LOCK) -> str:
    """Returns the object a ref at origin points to, "" without one. Raises SurroundingsError as `holder`."""
    answered, text, why = _asked(root, "ls-remote", _pushed_to(root), ref)
    if not answered:
        raise SurroundingsError(f"origin does not answer (git ls-remote origin {ref}): {why}.")
    return text.split()[0] if text else ""


@functools.cache
def _pushed_to(root: Path) -> str:
    """Returns where a push to origin goes: `pushurl` may be another repository than the one that is fetched from.

    An address may have a token in it; git hands it to the program that speaks to the host in the same way.
    """
    fetched, pushed = (_git(root, "remote", "get-url", *way, "origin")[1] for way in ((), ("--push",)))
    return "origin" if pushed == fetched else pushed


def give_back(root: Path, commit: str) -> bool:
    """Removes the lock if it still is this object; False if it may have stayed."""
    lease = f"--force-with-lease={LOCK}:{commit}"
    if _git(root, "push", "--no-verify", "--quiet", lease, "origin", f":{LOCK}")[0]:
        return True
    try:
        return at_origin(root) != commit
    except SurroundingsError:
        return False


def commit(root: Path, files: Sequence[str], message: str) -> str:
    """Commits these files as whoever uses git here; returns why git does not, "" if it does."""
    call = ["git", "-C", str(root), "commit", "--quiet", "--message", message, "--", *files]
    done = subprocess.run(call, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return "" if done.returncode == 0 else (lines or ["it said nothing"])[-1]


def restore(root: Path, files: Sequence[str]) -> bool:
    """Puts files back to what HEAD has; False if git does not."""
    return _git(root, "checkout", "--quiet", "HEAD", "--", *files)[0]


def tagged(root: Path, tag: str) -> str:
    """Returns the commit a tag stands at, "" if there is no such tag."""
    return _git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")[1]


def tag(root: Path, name: str, commit: str) -> bool:
    """Makes a tag; False if git does not."""
    return _git(root, "tag", "--no-sign", name, commit)[0]


def push_tag(root: Path, name: str) -> bool:
    """Pushes a tag to origin; False if it is not taken."""
    return _git(root, "push", "--no-verify", "--quiet", "origin", f"refs/tags/{name}")[0]


@functools.cache
def _ssh(root: Path) -> Mapping[str, str]:
    """Returns what keeps ssh from asking a person, unless somebody has said which ssh is to be used."""
    call = ["git", "-C", str(root), "config", "--get", "core.sshCommand"]
    with contextlib.suppress(OSError):
        if "GIT_SSH" in os.environ or not subprocess.run(call, capture_output=True, check=False).returncode:
            return {}
    return {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}


def _git(root: Path, *arguments: str) -> tuple[bool, str]:
    """Returns whether git succeeded, and what it said."""
    return _asked(root, *arguments)[:2]


def _asked(root: Path, *arguments: str) -> tuple[bool, str, str]:
    """Returns whether git succeeded, what it said, and the first it said of why it did not."""
    env = {"GIT_TERMINAL_PROMPT": "0", **_ssh(root), **os.environ}
    for role in ("AUTHOR", "COMMITTER"):
        env = {f"GIT_{role}_{key}": text for key, text in _NOBODY.items()} | env
    call = ["git", "-C", str(root), *PLAIN, *arguments]
    try:
        done = subprocess.run(
            call,
            env=env,
            capture_output=True,
            text=True,
            errors="replace",  # a file's name need not be UTF-8
            check=False,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        return False, "", str(error.strerror)
    except subprocess.TimeoutExpired:
        return False, "", f"no answer within {SECONDS} s"
    lines = done.stderr.strip().splitlines() or ["it said nothing"]
    # What git ends with is advice, in two lines; what is the matter stands before it, what ssh said above all.
    beside = ("warning:", "hint:")
    why = next((line for line in lines if not line.lower().startswith(beside)), lines[-1]).rstrip(".")
    why = re.sub(r"//[^@/\s']*@", "//", why)  # an address may have a token in it, and logs are kept
    return (True, done.stdout.strip(), "") if done.returncode == 0 else (False, "", why)

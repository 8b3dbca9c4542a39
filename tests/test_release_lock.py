"""One release at a time: a ref at origin, which tells whose it is, and is taken over only from the dead."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tasks.engine import gitrefs
from tasks.errors import IncompleteError, RefusedError
from tasks.model import Reference
from tasks.registries.registry import Manifest
from tasks.release.content import Place
from tasks.release.journal import Journal, Move
from tasks.release.lock import Taking, here, locked


@dataclass
class Clone:
    """A clone of a repository whose remote takes pushes; `folder` is this machine's own."""

    root: Path
    folder: Path
    remote: Path
    said: list[str] = field(default_factory=list)

    def told(self, step: str, text: str) -> None:
        self.said.append(f"{step}: {text}")

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", "-C", str(self.root), *who, *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def hook(self, name: str, text: str) -> None:
        """Gives the remote a hook."""
        path = self.remote / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def held_by(self, process: int, host: str, *, what: str = "the release v1.2.0", minutes: int = 0) -> str:
        """Lets somebody hold the lock, since so many minutes."""
        when = datetime.now(timezone.utc) - timedelta(minutes=minutes)
        commit = gitrefs.take(
            self.root,
            f"{what} is under way: process {process} on {host} since {when.strftime('%Y-%m-%dT%H:%M:%SZ')}",
        )
        assert commit
        return commit

    @property
    def holder(self) -> str:
        return self.git("ls-remote", "origin", gitrefs.LOCK)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "clone", tmp_path / "state", tmp_path / "origin.git")
    subprocess.run(["git", "init", "-q", "--bare", str(made.remote)], check=True)
    subprocess.run(["git", "clone", "-q", str(made.remote), str(made.root)], check=True, capture_output=True)
    made.git("commit", "-q", "--allow-empty", "-m", "one")
    return made


def journal(minutes: int = 60, to: str = "") -> Journal:
    """The journal of a release that began to move names so many minutes ago."""
    began = datetime.now(timezone.utc) - timedelta(minutes=minutes)
    record = Move(
        Reference("r", "fleet/api", "argosy-release-v1.2.0"), None, Manifest.of(b"{}", "text/plain")
    )
    when = began.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Journal("id", "fleet", "v1.2.0", when, Place("r", "fleet/api"), (), record, to=to)


def dead_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def take_over(clone: Clone, found: Journal, *, yes: bool = False) -> None:
    with locked(clone.root, clone.folder, found.what, clone.told, Taking(found, yes=yes)) as lock:
        assert not lock.lost()


def test_the_ref_tells_whose_it_is_and_goes_when_the_release_ends(clone: Clone) -> None:
    with locked(clone.root, clone.folder, "the release v1.2.0", clone.told):
        held = gitrefs.holder(clone.root)
        assert held
        assert held.said.startswith(f"the release v1.2.0 is under way: process {os.getpid()} on ")
    assert not clone.holder


def test_a_lock_that_is_pushed_to_another_repository_than_is_fetched_from_is_read_there(clone: Clone) -> None:
    fork = clone.remote.with_name("fork.git")
    subprocess.run(["git", "init", "-q", "--bare", str(fork)], check=True)
    clone.git("remote", "set-url", "--push", "origin", str(fork))
    with locked(clone.root, clone.folder, "the release v1.2.0", clone.told) as lock:
        assert not lock.lost()
        assert "refs/argosy/lock at origin" in clone.said[0]
        assert gitrefs.LOCK in clone.git("ls-remote", str(fork))
    assert not clone.holder
    assert not clone.git("ls-remote", str(fork))


def test_the_lock_of_a_release_that_may_live_is_not_taken_over_unless_a_person_says_it_is_dead(
    clone: Clone,
) -> None:
    clone.held_by(os.getppid(), here())
    before = clone.holder
    with pytest.raises(RefusedError, match="--yes"):
        take_over(clone, journal())
    assert clone.holder == before
    take_over(clone, journal(), yes=True)
    assert not clone.holder


def test_a_process_of_this_machine_that_is_no_more_has_left_its_lock(clone: Clone) -> None:
    clone.held_by(dead_process(), here())
    take_over(clone, journal())
    assert not clone.holder


def test_a_process_of_another_container_with_our_host_name_is_not_ours_to_judge(clone: Clone) -> None:
    clone.held_by(dead_process(), f"{here()}1")
    with pytest.raises(RefusedError, match="--yes"):
        take_over(clone, journal(minutes=0))


@pytest.mark.parametrize(
    ("held", "began", "may"), [(60, 60, True), (60, 0, False), (0, 60, False)],
    ids=["silent for an hour", "names began to move just now", "resumed just now"],
)  # fmt: skip
def test_a_release_of_another_machine_is_dead_when_both_lock_and_journal_are_old(
    clone: Clone, held: int, began: int, may: bool
) -> None:
    clone.held_by(1, "another-machine", minutes=held)
    if may:
        take_over(clone, journal(began))
        return
    with pytest.raises(RefusedError, match="another-machine"):
        take_over(clone, journal(began))


def test_the_lock_of_something_else_is_never_taken_over(clone: Clone) -> None:
    clone.held_by(dead_process(), here(), what="the release v1.3.0", minutes=60)
    with pytest.raises(RefusedError, match=f"git push origin :{gitrefs.LOCK}"):
        take_over(clone, journal(), yes=True)
    with pytest.raises(RefusedError, match="the release v1"):
        take_over(clone, journal(to="production"), yes=True)


def test_who_has_lost_the_lock_is_told_so(clone: Clone) -> None:
    with locked(clone.root, clone.folder, "the release v1.2.0", clone.told) as lock:
        assert not lock.lost()
        held = gitrefs.holder(clone.root)
        assert held
        assert gitrefs.take(clone.root, "somebody else", instead_of=held.object)
        assert "somebody else" in lock.lost()
        clone.git("push", "-q", "origin", f":{gitrefs.LOCK}")
        assert "nobody" in lock.lost()


def test_a_push_that_landed_although_its_answer_was_lost_has_taken_the_lock(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gitrefs, "SECONDS", 2)
    clone.hook("post-receive", "sleep 4 >/dev/null 2>&1")
    with locked(clone.root, clone.folder, "the release v1.2.0", clone.told) as lock:
        assert not lock.lost()
        assert f"lock: {gitrefs.LOCK} at origin" in clone.said


def test_a_remote_that_takes_no_push_leaves_a_file_and_that_is_said(clone: Clone) -> None:
    clone.hook("pre-receive", "exit 1")
    with locked(clone.root, clone.folder, "the release v1.2.0", clone.told) as lock:
        assert not lock.lost()
    assert any("takes no push" in line for line in clone.said)


def test_a_remote_that_does_not_answer_keeps_nobody_out_so_nothing_is_released(clone: Clone) -> None:
    clone.remote.rename(clone.remote.with_name("away"))
    with (
        pytest.raises(RefusedError, match="origin does not answer"),
        locked(clone.root, clone.folder, "the release v1.2.0", clone.told),
    ):
        pass
    with locked(clone.root, clone.folder, "the release v1.2.0", clone.told, alone=True):
        assert any("origin does not answer" in line for line in clone.said)


class _Locked(BaseHTTPRequestHandler):
    """A git host that wants a password as well."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.end_headers()


def test_no_token_of_the_remotes_address_is_told(clone: Clone) -> None:
    """Git says for which address it would have asked for a password, with the login in it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Locked)
    Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    clone.git("remote", "set-url", "origin", f"http://tr0ub4dor@127.0.0.1:{port}/acme/fleet.git")
    with (
        pytest.raises(RefusedError, match=rf"origin does not answer .*//127\.0\.0\.1:{port}") as caught,
        locked(clone.root, clone.folder, "the release v1.2.0", clone.told),
    ):
        pass
    server.shutdown()
    server.server_close()
    assert "tr0ub4dor" not in str(caught.value)


def test_a_tree_is_not_clean_when_git_cannot_tell(clone: Clone) -> None:
    clone.git("config", "status.showUntrackedFiles", "no")
    (clone.root / "new").write_text("not committed")
    assert gitrefs.changed(clone.root) == ("new",)
    (clone.root / ".git" / "index").write_bytes(b"torn")
    with pytest.raises(RefusedError, match="git status"):
        gitrefs.changed(clone.root)


def test_who_interrupts_while_the_lock_is_taken_leaves_none(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = gitrefs.take

    def interrupted(root: Path, said: str, instead_of: str = "") -> str:
        assert take(root, said, instead_of)
        raise KeyboardInterrupt

    monkeypatch.setattr(gitrefs, "take", interrupted)
    with pytest.raises(KeyboardInterrupt), locked(clone.root, clone.folder, "the release v1.2.0", clone.told):
        pytest.fail("it is not held")
    assert gitrefs.at_origin(clone.root) == ""


def test_who_interrupts_while_the_lock_is_given_back_hides_nothing(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the release came to is told by its own error, and by exit code 7; the lock goes all the same."""
    real, calls = gitrefs.give_back, []

    def interrupted(root: Path, commit: str) -> bool:
        calls.append(commit)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return real(root, commit)

    monkeypatch.setattr(gitrefs, "give_back", interrupted)
    with (
        pytest.raises(IncompleteError, match="half-way"),
        locked(clone.root, clone.folder, "the release v1.2.0", clone.told),
    ):
        raise IncompleteError("half-way")
    assert len(calls) == 2
    assert not clone.holder


@pytest.mark.parametrize(
    ("said", "used"),
    [("", "ssh -o BatchMode=yes"), ("plink -batch", "")],
    ids=["nothing", "an ssh of their own"],
)
def test_an_ssh_that_somebody_has_chosen_is_used(clone: Clone, said: str, used: str) -> None:
    if said:
        clone.git("config", "core.sshCommand", said)
    gitrefs._ssh.cache_clear()
    assert gitrefs._ssh(clone.root).get("GIT_SSH_COMMAND", "") == used

"""What git says of a folder, as one value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.engine import git, gitrefs
from tasks.errors import SurroundingsError
from tests.scenario import Fleet


def test_without_a_repository_or_a_commit_there_is_no_state(fleet: Fleet):
    assert git.read(fleet.root) is None
    assert git.refusal(fleet.root) == ""
    fleet.git("init", "-q")
    assert git.read(fleet.root) is None


def test_commit_branch_tag_and_changes_are_told(fleet: Fleet):
    fleet.file("a", "1")
    first = fleet.commit()
    found = git.read(fleet.root)
    assert found is not None
    assert (found.sha, found.branch, found.tag, found.dirty) == (first, "main", "", False)
    assert found.describe == f"v0.0.0-0-g{first[:7]}"
    assert found.date == fleet.git("log", "-1", "--format=%cs")
    fleet.git("tag", "v1.2.0")
    found = git.read(fleet.root)
    assert found is not None
    assert (found.tag, found.describe) == ("v1.2.0", "v1.2.0")
    fleet.file("a", "2")
    second = fleet.commit()
    fleet.file("a", "3")
    fleet.file("untracked", "")
    found = git.read(fleet.root)
    assert found is not None
    assert (found.tag, found.describe, found.dirty) == ("", f"v1.2.0-1-g{second[:7]}", True)


def test_a_name_that_is_not_utf8_is_a_name_all_the_same(fleet: Fleet):
    fleet.file("a", "1")
    fleet.commit()
    os.link(fleet.root / ".git/refs/heads/main", os.fsencode(fleet.root / ".git/refs/heads") + b"/caf\xe9")
    (fleet.root / ".git/HEAD").write_bytes(b"ref: refs/heads/caf\xe9\n")
    found = git.read(fleet.root)
    assert found is not None
    assert found.branch == "caf\ufffd"


def test_a_detached_head_has_no_branch_and_a_folder_below_is_the_same_repository(fleet: Fleet):
    fleet.file("below/a", "1")
    fleet.commit()
    fleet.git("checkout", "-q", "-b", "feat/long-name")
    assert getattr(git.read(fleet.root / "below"), "branch", None) == "feat/long-name"
    fleet.git("checkout", "-q", "--detach")
    assert getattr(git.read(fleet.root), "branch", None) == ""


def test_a_commit_s_time_is_its_own_wherever_head_is_by_now(fleet: Fleet):
    fleet.file("a", "1")
    fleet.commit()
    first = fleet.git("rev-parse", "HEAD")
    fleet.env["GIT_COMMITTER_DATE"] = "2020-01-01T00:00:00Z"
    fleet.commit()
    assert gitrefs.committed(fleet.root, first) > "2021"
    assert gitrefs.committed(fleet.root, fleet.git("rev-parse", "HEAD")) == "2020-01-01T00:00:00Z"
    assert gitrefs.committed(fleet.root, "") == ""


def test_what_an_image_is_made_of_beside_the_project_belongs_to_the_commit_too(fleet: Fleet):
    fleet.file("below/build.toml", "")
    fleet.file("lib.txt", "1")
    fleet.commit()
    below = fleet.root / "below"
    fleet.file("lib.txt", "2")
    fleet.file(b"odd-\xff.txt".decode("utf-8", "surrogateescape"), "")
    fleet.git("config", "core.quotePath", "false")
    assert gitrefs.changed(below) == ()
    assert "lib.txt" in gitrefs.changed(below, ["..", "/elsewhere"])


def test_why_git_fails_is_what_it_says_first(fleet: Fleet):
    fleet.commit()
    fleet.git("remote", "add", "origin", "ssh://nobody@127.0.0.1:1/x.git")
    with pytest.raises(SurroundingsError, match=r"ssh: .*refused"):
        gitrefs.at_origin(fleet.root)


def test_what_is_read_of_a_signed_commit_is_the_commit_where_git_shows_signatures(fleet: Fleet):
    """log.showSignature puts what gpg or ssh says of it before all else."""
    fleet.file("a", "1")
    fleet.commit()
    key = fleet.root / ".git" / "key"
    fleet.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)).ok()
    for setting in ("gpg.format=ssh", f"user.signingKey={key}", "log.showSignature=true"):
        fleet.git("config", *setting.split("=", 1))
    fleet.git("commit", "-q", "--allow-empty", "-S", "-m", "signed")
    commit = fleet.git("rev-parse", "HEAD")
    assert not fleet.git("log", "-1", "--format=%H").startswith(commit), "git shows the signature first"
    found = git.read(fleet.root)
    assert found is not None
    assert (found.sha, found.branch) == (commit, "main")
    assert gitrefs.committed(fleet.root, commit).endswith("Z")


@pytest.mark.engine  # like the engine, it needs root: a folder is given to another user
def test_a_repository_of_another_user_is_told_in_gits_own_words(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
):
    fleet.commit()
    for path in (fleet.root, fleet.root / ".git"):
        os.chown(path, 12345, 12345)
    monkeypatch.setenv("HOME", str(Path(fleet.root) / "nobody"))
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert git.read(fleet.root) is None
    assert "safe.directory" in git.refusal(fleet.root)

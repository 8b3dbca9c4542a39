"""--since: what a branch changed decides what is built; a commit is planned as it would be now. Needs no engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenario import Fleet

SUPERVISOR = """
FROM golang:1.22-bullseye AS supervisor-build
COPY apps/supervisor /src
RUN cp -r /src /supervisor
FROM ubuntu:22.04
COPY --from=supervisor-build /supervisor /usr/local/bin/workspace-supervisor
COPY docker/base/entrypoint.sh /usr/local/bin/
"""

BASES = {"golang:1.22-bullseye": "1", "ubuntu:22.04": "2"}


@pytest.fixture
def workspace(fleet: Fleet) -> Fleet:
    """A base that compiles a program from elsewhere in the repository, a workspace on it; two commits on main."""
    fleet.image("base", SUPERVISOR)
    fleet.image("mvp", "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY docker/mvp/tools /tools\n")
    for path in ("apps/supervisor/main.sh", "docker/base/entrypoint.sh", "docker/mvp/tools/gh", "README.md"):
        fleet.file(path, "first\n")
    lines = [f'"{name}" = "sha256:{number * 64}"' for name, number in BASES.items()]
    fleet.file("build.lock", "\n".join(["[bases]", *lines, ""]))
    return wanted(fleet)


def wanted(fleet: Fleet, further: str = "", head: str = "") -> Fleet:
    fleet.toml(
        f'{head}[images.base]\ncontext = "."\n{further}\n'
        '[images.mvp]\ncontext = "."\nargs = { BASE_IMAGE = "{image.base}" }\n'
    )
    return fleet


def since(fleet: Fleet, ref: str = "main") -> dict[str, str]:
    """The images that `plan --since` selects, with what it says of them."""
    images: list[dict[str, Any]] = fleet.inv(f"plan --since {ref} --format json").ok().json["images"]
    said = {image["name"]: [n for n in image["notes"] if n.startswith("since")] for image in images}
    return {name: note.partition(": ")[2] for name, notes in said.items() for note in notes}


def branch(fleet: Fleet) -> None:
    fleet.commit()
    fleet.git("checkout", "-q", "-b", "work")


def test_what_was_touched_decides_what_is_built(workspace: Fleet) -> None:
    branch(workspace)
    assert since(workspace) == {}
    workspace.file("README.md", "second\n")
    assert since(workspace) == {}
    workspace.file("docker/mvp/tools/gh", "second\n")
    assert since(workspace) == {"mvp": "docker/mvp/tools/gh changed"}
    workspace.file("docker/mvp/tools/gh", "first\n")
    for path in ("apps/supervisor/main.sh", "docker/base/entrypoint.sh"):
        workspace.file(path, "second\n")
        assert since(workspace) == {"base": f"{path} changed", "mvp": "stands on base, which changed"}
        workspace.file(path, "first\n")


def test_the_inputs_of_what_no_branch_changed_are_not_asked_for(workspace: Fleet) -> None:
    branch(workspace)
    assert workspace.inv("plan --why base --since main").ok().err == "base has not changed since main\n"


def test_a_checkout_under_another_umask_is_no_change_and_a_file_that_can_be_run_is(workspace: Fleet) -> None:
    """A commit holds no more of a mode than that."""
    branch(workspace)
    for path in ("apps/supervisor", "docker/mvp/tools"):
        (workspace.root / path).chmod(0o775)
    for path in ("apps/supervisor/main.sh", "docker/base/entrypoint.sh", "docker/mvp/tools/gh"):
        (workspace.root / path).chmod(0o664)
    assert since(workspace) == {}
    (workspace.root / "docker/mvp/tools/gh").chmod(0o775)
    assert since(workspace) == {"mvp": "mode of docker/mvp/tools/gh 0644 -> 0755"}


def test_a_rename_and_a_deletion_are_changes(workspace: Fleet) -> None:
    workspace.file("apps/supervisor/extra.sh", "more\n")
    branch(workspace)
    workspace.git("mv", "docker/mvp/tools/gh", "docker/mvp/tools/git")
    workspace.git("commit", "-qm", "rename")
    assert since(workspace) == {"mvp": "docker/mvp/tools/gh is gone; docker/mvp/tools/git was added"}
    workspace.git("rm", "-q", "apps/supervisor/extra.sh")
    assert since(workspace)["base"] == "apps/supervisor/extra.sh is gone"


def test_the_merge_base_counts_and_neither_the_last_commit_nor_what_others_did_since(
    workspace: Fleet,
) -> None:
    branch(workspace)
    workspace.file("docker/mvp/tools/gh", "second\n")
    workspace.commit()
    workspace.file("README.md", "an innocent last commit\n")
    workspace.commit()
    workspace.git("checkout", "-q", "main")
    workspace.file("apps/supervisor/main.sh", "what somebody else did on main\n")
    workspace.commit()
    workspace.git("checkout", "-q", "work")
    assert since(workspace) == {"mvp": "docker/mvp/tools/gh changed"}


def test_build_toml_counts_by_the_images_it_resolves_to(workspace: Fleet) -> None:
    branch(workspace)
    wanted(workspace, head="# a comment\n\n")
    assert since(workspace) == {}
    wanted(workspace, 'labels = { stage = "one" }')
    assert since(workspace)["base"] == "label stage was added"
    wanted(workspace, 'target = "supervisor-build"')
    assert set(since(workspace)) == {"base", "mvp"}


def test_paths_are_files_that_no_instruction_shows(workspace: Fleet) -> None:
    wanted(workspace, 'paths = ["schemas/**/*.json", "VERSIONS"]')
    workspace.file("schemas/v1/user.json", "{}")
    workspace.file("schemas/v1/notes.txt", "of no matter")
    workspace.file("VERSIONS", "node 20")
    branch(workspace)
    workspace.file("schemas/v1/notes.txt", "still of no matter")
    assert since(workspace) == {}
    workspace.file("schemas/v2/user.json", "{}")
    assert since(workspace)["base"] == "schemas/v2/user.json was added"
    workspace.file("VERSIONS", "node 22")
    assert since(workspace)["base"] == "VERSIONS changed; schemas/v2/user.json was added"


def test_git_itself_is_no_change_of_a_context_that_holds_it(fleet: Fleet) -> None:
    fleet.file("Dockerfile", "FROM scratch\nCOPY . .\n")
    fleet.image("child", "FROM acme/all\n")
    fleet.toml('[images.all]\ndockerfile = "Dockerfile"\n[images.child]\n')
    branch(fleet)
    fleet.git("commit", "-q", "--allow-empty", "-m", "nothing")
    assert since(fleet) == {}
    fleet.file("new.txt", "something")
    assert since(fleet) == {"all": "new.txt was added", "child": "stands on all, which changed"}


def test_a_path_outside_the_project_is_refused(workspace: Fleet) -> None:
    for path in ("../other", "/etc", "!src"):
        wanted(workspace, f'paths = ["{path}"]')
        assert f'"{path}" is no path below the folder of build.toml' in workspace.inv("list").failed(2).err

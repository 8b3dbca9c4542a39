"""`inv version --set`: a version or a constant, in every place that says it or in none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario import Fleet

TOML = """\
# The fleet.
[project]
registry = "ghcr.io"
owner    = "acme"    # spaces stay

[version]
sources = [{ git = "tag" }, { file = "VERSION" }, { file = "Cargo.toml", regex = '^version = "(.+)"' }]

[constants]
go = "1.25"                 # the compiler
go_image = "golang:{go}-alpine"

[images.api]
args = { GO = "{go}" }      # said once

[[lockstep]]                # every Dockerfile, and the README
files = ["docker/*/Dockerfile", "README.md"]
regex = 'golang:(\\S+?)-alpine'
equals = "{go}"

[[lockstep]]
files = ["README.md"]
regex = 'acme/api:(\\S+)'
equals = "v{major}.{minor}"
"""
FILES = {
    "VERSION": "# of all images\n\n0.2.0\n",
    "Cargo.toml": '[package]\nname = "api"\nversion = "0.2.0"\r\n',
    "docker/api/Dockerfile": "ARG GO\nFROM golang:1.25-alpine AS build\nFROM golang:1.25-alpine\n",
    "docker/job/Dockerfile": "FROM golang:1.25-alpine\n",
    "README.md": "Built from golang:1.25-alpine; run acme/api:v0.2 …\n",
}


@pytest.fixture
def project(fleet: Fleet) -> Fleet:
    """A version in two files and a README; a constant in build.toml, two Dockerfiles and the README."""
    for path, text in FILES.items():
        fleet.file(path, text.encode())
    fleet.file("build.toml", TOML.encode())
    return fleet


def texts(fleet: Fleet) -> dict[str, str]:
    """All files of the project that are not git's."""
    paths = [path for path in fleet.root.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {str(path.relative_to(fleet.root)): path.read_bytes().decode() for path in paths}


def test_a_version_goes_to_every_file_that_is_asked_for_it_and_every_place_that_repeats_it(
    project: Fleet,
) -> None:
    before = texts(project)
    out = project.inv("version --set 1.0.0").ok().out
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["Cargo.toml:3", "0.2.0", "1.0.0"],
        ["README.md:1", "v0.2", "v1.0"],
        ["VERSION:3", "0.2.0", "1.0.0"],
    ]
    assert texts(project) == before | {
        "VERSION": FILES["VERSION"].replace("0.2.0", "1.0.0"),
        "Cargo.toml": FILES["Cargo.toml"].replace("0.2.0", "1.0.0"),
        "README.md": FILES["README.md"].replace("v0.2", "v1.0"),
    }
    assert project.inv("version").ok().out == "1.0.0  (file VERSION)\n"


def test_a_constant_goes_to_every_place_and_comments_stay(project: Fleet) -> None:
    before = texts(project)
    changes = project.inv("version --set go=1.26 --json").ok().json["changes"]
    assert [(one["file"], one["line"]) for one in changes] == [
        ("build.toml", 10),
        ("README.md", 1),
        ("docker/api/Dockerfile", 2),
        ("docker/api/Dockerfile", 3),
        ("docker/job/Dockerfile", 1),
    ]
    assert texts(project) == before | {
        "build.toml": TOML.replace('go = "1.25"  ', 'go = "1.26"  '),
        **{path: text.replace("1.25", "1.26") for path, text in FILES.items()},
    }


def test_both_at_once_and_a_place_that_had_drifted(project: Fleet) -> None:
    project.file("docker/job/Dockerfile", "FROM golang:1.19-alpine\n")
    project.inv("version --set 0.3.0 --set go=1.25").ok()
    assert "golang:1.25-alpine" in texts(project)["docker/job/Dockerfile"]
    assert texts(project)["VERSION"].endswith("0.3.0\n")
    assert project.inv("version --set 0.3.0").ok().out == "every place says so already\n"


def test_one_place_that_cannot_be_found_leaves_all_as_they_were(project: Fleet) -> None:
    project.file("docker/job/Dockerfile", "FROM rust:1\n")
    before = texts(project)
    said = project.inv("version --set go=1.26").failed(2).err
    assert (
        "cannot find golang:(\\S+?)-alpine in docker/job/Dockerfile (lockstep.0). Nothing was changed."
        in said
    )
    assert texts(project) == before


def test_one_file_that_cannot_be_written_leaves_all_as_they_were(project: Fleet) -> None:
    """A name so long that no file can stand beside it: even root cannot write there."""
    name = "x" * 255
    project.file(name, "golang:1.25-alpine")
    project.file("build.toml", TOML.replace('"README.md"]', f'"README.md", "{name}"]', 1))
    before = texts(project)
    said = project.inv("version --set go=1.26").failed(3).err
    assert f"{name} cannot be written: File name too long. Nothing was changed." in said
    assert texts(project) == before


def test_what_is_written_to_is_put_back_when_a_later_file_cannot_take_its_place(
    project: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, real = texts(project), Path.replace

    def replace(self: Path, target: Path) -> Path:
        if target.name == "README.md":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    said = project.inv("version --set go=1.26").failed(3).err
    assert "README.md cannot be written: No space left on device. Nothing was changed." in said
    assert texts(project) == before


def test_what_the_code_does_not_have_is_refused_with_the_nearest(project: Fleet) -> None:
    assert '(did you mean "go"?)' in project.inv("version --set goo=1").failed(2).err


def test_a_version_that_only_git_knows_is_not_written_but_tagged(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml(
        "[version]\nsources = [{ git = 'describe' }]\n[images.api]", head='[project]\nregistry = "ghcr.io"\n'
    )
    fleet.commit()
    said = fleet.inv("version --set 1.0.0").failed(2).err
    assert "the version comes from git describe, where nothing can be written" in said
    assert "tag a commit" in said


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        (
            '[project]\nregistry = "x.io"\nversion = "0.1"  # ours\n',
            '[project]\nregistry = "x.io"\nversion = "2.0"  # ours\n',
        ),
        (
            '[project]\nregistry = "x.io"\n[version]\nsources = [{ env = "V" }, { value = "0.1" }]\n',
            '[project]\nregistry = "x.io"\n[version]\nsources = [{ env = "V" }, { value = "2.0" }]\n',
        ),
        (
            '[project]\nregistry = "x.io"\n[version]\nsources = { value = "0.1" }\n',
            '[project]\nregistry = "x.io"\n[version]\nsources = { value = "2.0" }\n',
        ),
    ],
)
def test_a_version_kept_in_build_toml_is_written_there(fleet: Fleet, said: str, becomes: str) -> None:
    fleet.image("api")
    fleet.file("build.toml", said + "[images.api]\n")
    fleet.inv("version --set 2.0").ok()
    assert (fleet.root / "build.toml").read_text() == becomes + "[images.api]\n"


def test_a_bare_number_stays_one_where_it_means_the_same(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[constants]\ngo = 1.25\n[images.api]\n")
    fleet.inv("version --set go=1.26").ok()
    assert "go = 1.26\n" in (fleet.root / "build.toml").read_text()
    fleet.inv("version --set go=1.30").ok()
    assert 'go = "1.30"\n' in (fleet.root / "build.toml").read_text()


def test_what_the_environment_says_is_not_written_down(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml('[env]\nVERSION = "project.version"\n[images.api]\n')
    fleet.inv("version --set 2.0.0", env={"VERSION": "9.9.9"}).ok()
    assert 'version = "2.0.0"' in (fleet.root / "build.toml").read_text()


def test_links_and_modes_of_files_stay(project: Fleet) -> None:
    (project.root / "VERSION").rename(project.root / "version.txt")
    (project.root / "version.txt").chmod(0o755)
    (project.root / "VERSION").symlink_to("version.txt")
    project.inv("version --set 1.0.0").ok()
    assert (project.root / "VERSION").is_symlink()
    assert (project.root / "version.txt").read_text() == FILES["VERSION"].replace("0.2.0", "1.0.0")
    assert (project.root / "version.txt").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("value", ["", "a b", "1.0/é"])
def test_what_no_tag_could_say_is_no_version(project: Fleet, value: str) -> None:
    before = texts(project)
    assert "is no version" in project.inv(f"version --set '{value}'").failed(2).err
    assert texts(project) == before


@pytest.mark.parametrize("sources", ['[{ file = "VERSION" }]', '[{ git = "tag" }]'])
def test_where_no_source_says_a_version_yet_it_is_said_which_were_asked(fleet: Fleet, sources: str) -> None:
    fleet.image("api")
    head = '[project]\nregistry = "ghcr.io"\nowner = "acme"\n'
    fleet.toml(f"[version]\nsources = {sources}\n[images.api]\n", head=head)
    assert "no source says a version yet (asked: " in fleet.inv("version --set 1.0.0").failed(2).err


@pytest.mark.parametrize(
    ("fast", "wanted"),
    [
        ('[flavours.fast.constants]\ngo = "1"\n', "go=2"),
        ('[flavours.fast.project]\nversion = "1.0.0"\n', "2.0.0"),
    ],
)
def test_what_a_flavour_says_is_set_there_by_hand(fleet: Fleet, fast: str, wanted: str) -> None:
    fleet.image("api")
    fleet.toml(
        f"[images.api]\n{fast}",
        head='flavour = "fast"\n[project]\nregistry = "r.io"\nowner = "a"\nversion = "1.0.0"\n',
    )
    before = (fleet.root / "build.toml").read_text()
    assert "a flavour of build.toml" in fleet.inv(f"version --set {wanted}").failed(2).err
    assert (fleet.root / "build.toml").read_text() == before

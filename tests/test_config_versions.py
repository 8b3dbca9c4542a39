"""Where build.toml says the version comes from; `inv version` says which source answered."""

from __future__ import annotations

import pytest

from tests.planned import HEAD, findings
from tests.scenario import Fleet


def sources(fleet: Fleet, text: str, own: str = "") -> None:
    fleet.image("api")
    table = f"[version]\nsources = {text}\n" if text else ""
    fleet.file("build.toml", f"{HEAD}{table}[images.api]\n{own}")


def version(fleet: Fleet, **env: str) -> str:
    return fleet.inv("version", env=env).ok().out.strip()


def test_a_version_kept_in_the_file(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[images.api]")
    assert version(fleet) == "0.1.0  (project.version)"


def test_without_a_word_git_answers_or_else_it_is_dev(fleet: Fleet) -> None:
    sources(fleet, "")
    assert version(fleet) == 'dev  (value "dev")'
    sha = fleet.commit()
    assert version(fleet) == f"v0.0.0-0-g{sha[:7]}  (git describe)"


def test_the_first_source_that_answers_is_taken(fleet: Fleet) -> None:
    sources(fleet, '[{ env = "VERSION" }, { git = "tag" }, { file = "VERSION" }, { value = "dev" }]')
    assert version(fleet) == 'dev  (value "dev")'
    fleet.file("VERSION", "# the version\n\n  1.4.0  \n# end\n")
    assert version(fleet) == "1.4.0  (file VERSION)"
    fleet.commit()
    assert version(fleet) == "1.4.0  (file VERSION)"
    fleet.git("tag", "v2.0.0")
    assert version(fleet) == "v2.0.0  (git tag)"
    assert version(fleet, VERSION="3.0") == "3.0  (env VERSION)"
    assert version(fleet, VERSION="") == "v2.0.0  (git tag)"


def test_git_describes_a_commit_after_a_tag(fleet: Fleet) -> None:
    sources(fleet, '{ git = "describe" }')
    fleet.commit()
    fleet.git("tag", "v1.2.3")
    assert version(fleet) == "v1.2.3  (git describe)"
    fleet.commit()
    sha = fleet.commit()
    assert version(fleet) == f"v1.2.3-2-g{sha[:7]}  (git describe)"


def test_a_pattern_finds_the_version_in_any_file(fleet: Fleet) -> None:
    sources(fleet, """[{ file = "src/main.rs", regex = '^pub const TAG: &str = "([^"]+)";' }]""")
    fleet.file("src/main.rs", '// TAG\npub const TAG: &str = "0.2.0";\n')
    assert version(fleet) == "0.2.0  (file src/main.rs)"


@pytest.mark.parametrize("text", [b"1.5\r\n", b"\xef\xbb\xbf1.5\n", b"1.5"])
def test_a_version_file_from_any_editor(fleet: Fleet, text: bytes) -> None:
    sources(fleet, '{ file = "VERSION" }')
    fleet.file("VERSION", text)
    assert version(fleet) == "1.5  (file VERSION)"


def test_no_answer_is_an_error_that_lists_what_was_asked(fleet: Fleet) -> None:
    sources(fleet, '[{ file = "VERSION" }, { env = "VERSION" }, { git = "tag" }]')
    said = fleet.inv("version").failed(2).err
    assert (
        "version: no source gave a version (asked: file VERSION, which is not there, env VERSION, git tag)"
        in said
    )
    assert '{ value = "dev" }' in said


def test_what_is_not_in_its_file_is_told_with_what_was_looked_for(fleet: Fleet) -> None:
    sources(fleet, """{ file = "src/main.rs", regex = 'TAG = "(.+)"' }""")
    fleet.file("src/main.rs", 'const TAGS = "0.2.0";\n')
    said = fleet.inv("version").failed(2).err
    assert """(asked: cannot find 'TAG = "(.+)"' in src/main.rs)""" in said
    (fleet.root / "src/main.rs").unlink()
    assert "(asked: file src/main.rs, which is not there)" in fleet.inv("version").failed(2).err


def test_an_image_may_have_a_version_of_its_own(fleet: Fleet) -> None:
    sources(fleet, '{ value = "1.0" }', 'version = [{ file = "docker/api/VERSION" }, { value = "dev" }]')
    fleet.image("worker")
    with (fleet.root / "build.toml").open("a") as file:
        file.write('\n[images.worker]\nversion = "7"')
    fleet.file("docker/api/VERSION", "2.5\n")
    assert version(fleet).splitlines() == [
        '1.0  (value "1.0")',
        "api: 2.5  (file docker/api/VERSION)",
        'worker: 7  (value "7")',
    ]
    assert fleet.inv("version --json").ok().json == {
        "schema": 1,
        "version": "1.0",
        "source": 'value "1.0"',
        "images": {
            "api": {"version": "2.5", "source": "file docker/api/VERSION"},
            "worker": {"version": "7", "source": 'value "7"'},
        },
    }
    assert (
        fleet.inv("list --json --images worker").ok().json["images"][0]["references"][0]
        == "ghcr.io/acme/worker:7"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ file = 'V', env = 'V' }", "a source is exactly one of git, file, env, value; here: file and env"),
        ("{ regex = 'x' }", "a source is exactly one of git, file, env, value; here: none of them"),
        ("{ env = 'V', regex = '(x)' }", "regex goes with file, not with env"),
        ("{ file = 'V', regex = 'x' }", "regex 'x' has no group; its first group, in (…), is the version"),
        ("{ file = 'V', regex = '(' }", "regex '(' is none: missing ), unterminated subpattern"),
    ],
)
def test_a_source_that_can_never_answer_is_refused(fleet: Fleet, text: str, said: str) -> None:
    sources(fleet, text)
    (finding,) = findings(fleet)
    assert finding.startswith(f"version.sources: {said}")


def test_the_version_is_said_in_one_place(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml('[version]\nsources = { value = "1" }\n[images.api]')
    assert findings(fleet) == ["version: give project.version or [version] sources, not both"]


def test_each_image_of_a_matrix_may_have_a_version_of_its_own(fleet: Fleet) -> None:
    fleet.image("x")
    fleet.toml(
        """
        [images."x-{v.id}"]
        dockerfile = "docker/x/Dockerfile"
        version = [{ file = "{v.id}/VERSION" }, { value = "{v.version}" }]
        matrix = { v = [{ id = "a", version = "1.1" }, { id = "b", version = "2.2" }] }
        """
    )
    fleet.file("b/VERSION", "2.3\n")
    assert version(fleet).splitlines()[1:] == ['x-a: 1.1  (value "1.1")', "x-b: 2.3  (file b/VERSION)"]

"""build.toml as a file: where it is found, and how all that is wrong with it is said."""

from __future__ import annotations

import pytest

from tests.planned import findings
from tests.scenario import Fleet

MINIMAL = '[project]\nregistry = "ghcr.io"\n[images.api]\n'


def test_the_smallest_file_will_do(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.file("build.toml", MINIMAL)
    assert fleet.inv("list --json").ok().json["images"][0]["name"] == "api"


def test_no_file_anywhere_says_how_to_begin(fleet: Fleet) -> None:
    ran = fleet.inv("list").failed(2)
    assert f"no build.toml in {fleet.root} or any folder above it" in ran.err
    assert "[images.api]" in ran.err


def test_the_nearest_file_upward_is_the_one(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[images.api]")
    fleet.file("parts/worker/Dockerfile", "FROM busybox")
    fleet.file("parts/build.toml", MINIMAL.replace("api", "worker"))
    fleet.file("parts/worker/src/main.py")
    fleet.file("docs/guide.md")

    def names(cwd: str) -> list[str]:
        return [image["name"] for image in fleet.inv("list --json", cwd=cwd).ok().json["images"]]

    assert names("parts/worker/src") == names("parts") == ["worker"]
    assert names("docs") == names(".") == ["api"]


def test_a_run_from_a_sub_folder_is_the_same_run(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox\nCOPY . .")
    fleet.file("VERSION", "2.0.0\n")
    fleet.file("src/deep/main.py")
    fleet.toml(
        """
        [version]
        sources = [{ file = "VERSION" }]
        [images.api]
        context = "src"
        dockerfile = "docker/api/Dockerfile"
        """,
        head='[project]\nregistry = "ghcr.io"\n',
    )
    for line in ("plan --format json", "plan --format bake", "list --json"):
        assert fleet.inv(line, cwd="src/deep").ok().out == fleet.inv(line).ok().out


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_byte_order_marks_and_line_ends_do_not_matter(fleet: Fleet, start: str, end: str) -> None:
    fleet.image("api")
    fleet.file("build.toml", (start + MINIMAL.replace("\n", end)).encode())
    assert fleet.inv("list --json").ok().json["images"][0]["references"] == [
        "ghcr.io/api:dev",
        "ghcr.io/api:latest",
    ]


def test_broken_toml_is_said_with_its_line(fleet: Fleet) -> None:
    fleet.file("build.toml", '[project]\nregistry = "ghcr.io\n')
    (said,) = findings(fleet)
    assert "not valid TOML" in said
    assert "line 2" in said


@pytest.mark.parametrize(
    ("line", "meant"), [("owner = acme # ours", 'owner = "acme"'), ("version = 1.2.3", 'version = "1.2.3"')]
)
def test_a_text_without_quotes_is_shown_with_them(fleet: Fleet, line: str, meant: str) -> None:
    fleet.file("build.toml", f"[project]\n{line}\n")
    said = fleet.inv("list").failed(2).err
    assert "at line 2, column" in said
    assert said.endswith(f"\nA text stands in quotes: {meant}\n")


def test_a_table_given_twice_is_said_with_its_line(fleet: Fleet) -> None:
    fleet.file("build.toml", "[images.api]\n[images.api]\n")
    assert "line 2" in findings(fleet)[0]


def test_a_file_that_is_no_text_is_said(fleet: Fleet) -> None:
    fleet.file("build.toml", b"\xff\xfe\x00")
    assert "cannot be read" in findings(fleet)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[imagse.api]\n[project]\nregistry="r.io"\n[images.api]',
            'imagse: unknown key (did you mean "images"?)',
        ),
        ("[images.api]\nplatform = []", 'images.api.platform: unknown key (did you mean "platforms"?)'),
        ("[images.api]\nxyz = 1", "images.api.xyz: unknown key; known: dockerfile, context, target, args"),
        ("[defaults]\ntarge = 1\n[images.api]", 'defaults.targe: unknown key (did you mean "target"?)'),
        ("[tags]\nbuidl = []\n[images.api]", 'tags.buidl: unknown key (did you mean "build"?)'),
        (
            "[images.api]\nversion = [{ fil = 'V' }]",
            'images.api.version.0.fil: unknown key (did you mean "file"?)',
        ),
        (
            "[images.api]\nversion = { evn = 'V' }",
            'images.api.version.0.evn: unknown key (did you mean "env"?)',
        ),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(fleet: Fleet, text: str, said: str) -> None:
    fleet.image("api")
    fleet.toml(text, head="" if "[project]" in text else '[project]\nregistry = "ghcr.io"\n')
    assert any(finding.startswith(said) for finding in findings(fleet))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("target = 1", "images.api.target: must be text in quotes, not 1"),
        ('platforms = "linux/amd64"', 'images.api.platforms: must be a list, not "linux/amd64"'),
        ("args = ['A']", "images.api.args: must be a table, not a list"),
        ('publish = "no"', 'images.api.publish: must be true or false, not "no"'),
        ("args = { A = ['x'] }", "images.api.args.A: must be text in quotes, not a list"),
        ("needs = [true]", "images.api.needs.0: must be text in quotes, not true"),
        ("matrix = { v = 'x' }", 'images.api.matrix.v: must be a list, not "x"'),
        (
            "version = { git = 'log' }",
            """images.api.version.0.git: must be 'tag' or 'describe', not "log\"""",
        ),
    ],
)
def test_a_wrong_type_is_said_with_what_stands_there(fleet: Fleet, setting: str, said: str) -> None:
    fleet.image("api")
    fleet.toml(f"[images.api]\n{setting}\n")
    assert findings(fleet) == [said]


def test_numbers_and_switches_may_stand_bare_where_text_is_meant(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[constants]\ngo = 1.25\n[images.api]\nargs = { GO = '{go}', DEBUG = true, N = 3 }")
    (image,) = fleet.inv("list --json").ok().json["images"]
    assert image["args"] == {"GO": "1.25", "DEBUG": "true", "N": "3"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("schema = 2\n", "schema: must be 1, not 2"),
        ("[engine]\nparallel = 0\n", "engine.parallel: input should be greater than or equal to 1, not 0"),
        (
            "[builder]\ndriver = 'podman'\n",
            "builder.driver: must be 'docker', 'docker-container', 'remote' or",
        ),
    ],
)
def test_a_value_out_of_range_is_said(fleet: Fleet, text: str, said: str) -> None:
    fleet.image("api")
    fleet.file("build.toml", text + MINIMAL)
    (found,) = findings(fleet)
    assert found.startswith(said)


def test_what_must_be_there_is_asked_for(fleet: Fleet) -> None:
    fleet.file("build.toml", "schema = 1\n")
    assert findings(fleet) == ["project: is missing", "images: is missing: an image is a table [images.NAME]"]
    fleet.file("build.toml", "[project]\n[images]\n")
    assert findings(fleet) == [
        "images: is empty: an image is a table [images.NAME]",
        'project.registry: is missing: where images are published, "ghcr.io" say',
    ]


def test_everything_wrong_with_a_file_is_said_in_one_go(fleet: Fleet) -> None:
    """Schema, [env], registries, versions, Dockerfiles, needs, groups and templates: different stages, one error."""
    fleet.image("api")
    fleet.image("worker")
    fleet.file(
        "build.toml",
        """
        [project]
        registry = "https://ghcr.io"
        owner = "Acme"
        licence = "MIT"

        [version]
        sources = [{ file = "VERSION", env = "VERSION" }, { file = "x.rs", regex = "tag=.*" }]

        [env]
        PLATFORMS = "defaults.platfroms"

        [tags]
        build = ["{vresion}"]

        [images.api]
        target = 7
        needs = ["wroker"]

        [images.worker]
        args = { BASE = "{image.aip}" }
        platforms = ["arm64"]

        [images.gateway]
        labels = { a = "{shaa}" }

        [groups]
        services = ["api", "work"]
        """,
    )
    said = findings(fleet)
    for expected in (
        "project.licence: unknown key",
        "images.api.target: must be text in quotes, not 7",
        'env.PLATFORMS: no setting "platfroms" in defaults (did you mean "platforms"?)',
        'project.registry: "https://ghcr.io" must be a host or host/path, no URL: "ghcr.io"',
        'project.owner: "Acme" cannot stand in a reference: lower-case',
        "version.sources: a source is exactly one of git, file, env, value; here: file and env",
        "version.sources: regex 'tag=.*' has no group",
        'tags.build: unknown field {vresion} in "{vresion}" (did you mean "version"?)',
        'images.api.needs: no image "wroker" (did you mean "worker"?)',
        'images.worker.args.BASE: unknown field {image.aip} in "{image.aip}" (did you mean "image.api"?)',
        'images.worker.platforms: "arm64" is no platform, which is os/arch: linux/arm64',
        "images.gateway: no Dockerfile at docker/gateway/Dockerfile, services/gateway/Dockerfile, gateway/Dockerfile",
        'images.gateway.labels.a: unknown field {shaa} in "{shaa}" (did you mean "sha"?)',
        'groups.services: no image and no group "work" (did you mean "worker"?)',
    ):
        assert any(finding.startswith(expected) for finding in said), f"{expected}\nnot in\n" + "\n".join(
            said
        )
    assert len(said) == 14


def test_what_is_wrong_with_one_thing_is_not_said_of_others(fleet: Fleet) -> None:
    """A table that cannot be read is not also missing, and who needs it is not at fault."""
    fleet.image("api")
    fleet.toml(
        '[images]\nbase = "docker/base"\n[images.api]\nneeds = ["base"]\n[groups]\nall = ["base", "api"]'
    )
    assert findings(fleet) == ['images.base: must be a table, not "docker/base"']
    fleet.toml("[images.api]\ndockerfile = 3\n")
    assert findings(fleet) == ["images.api.dockerfile: must be text in quotes, not 3"]
    fleet.toml("[images.api]", head="[project]\nregistry = 1\n")
    assert findings(fleet) == ["project.registry: must be text in quotes, not 1"]
    fleet.file("build.toml", '[project]\nregistries = [{ owner = "x" }]\n[images.api]')
    assert findings(fleet) == ["project.registries.0.host: is missing"]


def test_an_override_does_not_hide_a_mistake_in_the_file(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml('[tags]\nbuild = "latest"\n[images.api]')
    assert findings(fleet, "list --tags v1") == ['tags.build: must be a list, not "latest"']


def test_a_key_of_a_builder_s_node_is_checked_too(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml('[images.api]\n[builder]\nname = "fleet"\nnodes = [{ endpoin = "ssh://b" }]\n')
    (said,) = findings(fleet)
    assert "endpoin" in said
    assert 'did you mean "endpoint"' in said

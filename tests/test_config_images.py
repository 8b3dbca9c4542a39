"""Images as build.toml says them: defaults merged in, matrices spread out, Dockerfiles and contexts found."""

from __future__ import annotations

import pytest

from tests.planned import findings, project
from tests.scenario import Fleet


@pytest.mark.parametrize(
    ("file", "context"),
    [
        ("docker/api/Dockerfile", "docker/api"),
        ("services/api/Dockerfile", "services/api"),
        ("api/Dockerfile", "api"),
    ],
)
def test_a_dockerfile_at_a_usual_place_needs_no_word(fleet: Fleet, file: str, context: str) -> None:
    fleet.file(file, "FROM busybox")
    fleet.toml("[images.api]")
    api = project(fleet).images["api"]
    assert (api.dockerfile, api.context) == (file, context)


def test_the_context_is_a_usual_place_too(fleet: Fleet) -> None:
    fleet.file("src/Dockerfile", "FROM busybox")
    fleet.image("api")
    fleet.toml('[images.api]\ncontext = "src"')
    assert project(fleet).images["api"].dockerfile == "src/Dockerfile"


def test_a_dockerfile_may_lie_below_the_context(fleet: Fleet) -> None:
    fleet.file("docker/Dockerfile.api", "FROM busybox")
    fleet.toml('[images.api]\ndockerfile = "docker/Dockerfile.api"\ncontext = "."')
    api = project(fleet).images["api"]
    assert (api.dockerfile, api.context) == ("docker/Dockerfile.api", ".")


def test_a_missing_dockerfile_is_said_with_those_there_are(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.file("node_modules/x/Dockerfile")
    fleet.file("docker/api/.dockerignore")
    fleet.toml('[images.api]\ndockerfile = "docker/aip/Dockerfile"')
    (said,) = findings(fleet)
    assert said == (
        f"images.api.dockerfile: no Dockerfile docker/aip/Dockerfile in {fleet.root} "
        '(did you mean "docker/api/Dockerfile"?). Available Dockerfiles: docker/api/Dockerfile.'
    )


def test_a_missing_dockerfile_at_the_usual_places_says_where_it_was_looked_for(fleet: Fleet) -> None:
    fleet.file("src/main.py")
    fleet.toml('[images.api]\ncontext = "src"')
    (said,) = findings(fleet)
    assert "no Dockerfile at src/Dockerfile, docker/api/Dockerfile, services/api/Dockerfile" in said
    assert "images.api.dockerfile" in said


def test_a_missing_context_is_said_with_the_nearest_folder(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.file("services/api/main.py")
    fleet.toml('[images.api]\ndockerfile = "docker/api/Dockerfile"\ncontext = "services/aip"')
    (said,) = findings(fleet)
    assert f"no folder services/aip in {fleet.root} to be the context" in said
    assert '(did you mean "services/api"?)' in said


@pytest.mark.parametrize("context", ["https://github.com/acme/x.git#main", "git@github.com:acme/x.git"])
def test_a_remote_context_is_taken_as_it_is(fleet: Fleet, context: str) -> None:
    fleet.image("api")
    fleet.toml(f'[images.api]\ndockerfile = "docker/api/Dockerfile"\ncontext = "{context}"')
    assert project(fleet).images["api"].context == context


def test_defaults_are_merged_key_by_key_in_tables_and_replaced_whole_in_lists(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.image("worker")
    fleet.toml(
        """
        [defaults]
        args = { A = "1", B = "2" }
        labels = { team = "core" }
        platforms = ["linux/amd64", "linux/arm64"]
        local = ["{image}:dev"]
        publish = false
        [images.api]
        args = { B = "3", C = "4" }
        platforms = ["linux/amd64"]
        publish = true
        [images.worker]
        """
    )
    api, worker = project(fleet).images.values()
    assert api.args == {"A": "1", "B": "3", "C": "4"}
    assert worker.args == {"A": "1", "B": "2"}
    assert api.labels == worker.labels == {"team": "core"}
    assert (api.platforms, worker.platforms) == (("linux/amd64",), ("linux/amd64", "linux/arm64"))
    assert api.local == worker.local == ("{image}:dev",)
    assert (api.publish, worker.publish) == (True, False)


def test_a_mistake_in_the_defaults_is_said_once_and_of_the_defaults(fleet: Fleet) -> None:
    for name in ("a", "b", "c"):
        fleet.image(name)
    fleet.toml(
        """
        [defaults]
        args = { V = "{vershun}" }
        platforms = ["amd64"]
        [images.a]
        [images.b]
        args = { W = "{shaa}" }
        [images.c]
        """
    )
    said = findings(fleet)
    assert len(said) == 3
    assert said[0].startswith('defaults.platforms: "amd64" is no platform')
    assert 'did you mean "linux/amd64"?' in said[0]
    assert said[1].startswith("defaults.args.V: unknown field {vershun}")
    assert said[2].startswith("images.b.args.W: unknown field {shaa}")


def test_one_dockerfile_for_all_may_be_named_after_the_image(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml(
        '[constants]\nfolder = "docker"\n[defaults]\ndockerfile = "{folder}/{image}/Dockerfile"\n[images.api]'
    )
    assert project(fleet).images["api"].dockerfile == "docker/api/Dockerfile"


def test_what_changes_with_the_moment_cannot_name_a_dockerfile(fleet: Fleet) -> None:
    fleet.toml('[images.api]\ndockerfile = "docker/{version}/Dockerfile"')
    assert findings(fleet)[0].startswith("images.api.dockerfile: unknown field {version}")


def test_a_matrix_is_one_image_for_each_combination(fleet: Fleet) -> None:
    fleet.file("docker/py/Dockerfile", "FROM busybox AS slim\nFROM slim AS full")
    fleet.toml(
        """
        [images."py{python.short}-{kind}"]
        dockerfile = "docker/py/Dockerfile"
        target = "{kind}"
        needs = ["base-{kind}"]
        args = { PYTHON = "{python.version}", DEBUG = "{debug}" }
        [images."py{python.short}-{kind}".matrix]
        python = [{ version = "3.12.1", short = 312 }, { version = "3.13.0", short = 313 }]
        kind = ["slim", "full"]
        debug = [true]
        [images."base-{kind}"]
        dockerfile = "docker/py/Dockerfile"
        matrix = { kind = ["slim", "full"] }
        """
    )
    images = project(fleet).images
    assert list(images) == ["py312-slim", "py312-full", "py313-slim", "py313-full", "base-slim", "base-full"]
    assert images["py313-full"].target == "full"
    assert images["py313-full"].needs == ("base-full",)
    (listed,) = fleet.inv("list --images py313-slim --json").ok().json["images"]
    assert listed["args"] == {"PYTHON": "3.13.0", "DEBUG": "true"}
    assert listed["references"] == ["ghcr.io/acme/py313-slim:0.1.0", "ghcr.io/acme/py313-slim:latest"]


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (
            "v = ['a', 'a']",
            'a second image is called "x-a"; the name of a matrix image must differ by its values ({v})',
        ),
        ("v = ['a'], w = ['1', '2']", 'a second image is called "x-a"'),
        ("w = ['1']", 'unknown field {v} in "x-{v}". Available fields: w. A matrix image'),
        ("v = [{ id = 'a' }]", 'unknown field {v} in "x-{v}"'),
        ("v = []", "has no values, so there is no image"),
        ("v = ['A']", '"x-A" cannot name an image (lower-case letters'),
    ],
)
def test_a_matrix_that_names_no_images_is_refused(fleet: Fleet, matrix: str, said: str) -> None:
    fleet.image("x")
    fleet.toml(f'[images."x-{{v}}"]\ndockerfile = "docker/x/Dockerfile"\nmatrix = {{ {matrix} }}')
    assert any(said in finding and finding.startswith("images.x-{v}") for finding in findings(fleet))


def test_a_matrix_image_may_not_have_the_name_of_another(fleet: Fleet) -> None:
    fleet.image("x-a")
    fleet.toml('[images.x-a]\n[images."x-{v}"]\ndockerfile = "docker/x-a/Dockerfile"\nmatrix = { v = ["a"] }')
    assert findings(fleet)[0].startswith('images.x-{v}: a second image is called "x-a"')


def test_a_template_in_a_matrix_image_may_name_its_values_and_no_other(fleet: Fleet) -> None:
    fleet.image("x")
    fleet.toml(
        """
        [images."x-{v.id}"]
        dockerfile = "docker/x/Dockerfile"
        matrix = { v = [{ id = "a", port = 80 }, { id = "b" }] }
        labels = { port = "{v.port}" }
        """
    )
    (said,) = findings(fleet)
    assert said.startswith('images.x-{v.id}.labels.port: unknown field {v.port} in "{v.port}"')


@pytest.mark.parametrize("name", ["Api", "-api", "api..x", "a b"])
def test_a_name_no_registry_takes_is_refused(fleet: Fleet, name: str) -> None:
    fleet.toml(f'[images."{name}"]')
    assert findings(fleet) == [
        f'images.{name}: "{name}" cannot name an image (lower-case letters and digits, with . _ - / between them)'
    ]


@pytest.mark.parametrize("setting", ["tags", "local", "aliases"])
def test_a_name_cannot_be_made_of_another_image_s_name(fleet: Fleet, setting: str) -> None:
    fleet.image("api")
    fleet.toml(f'[images.api]\n{setting} = ["{{image.api}}"]')
    assert findings(fleet)[0].startswith(f"images.api.{setting}: unknown field {{image.api}}")


def test_a_constant_cannot_take_a_field_s_name(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml('[constants]\nversion = "1"\n[images.api]')
    assert findings(fleet) == ["constants.version: {version} has a meaning already; choose another name"]

"""The names images get: tags by branch, release and version; registries, aliases, local names; what is no name."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.planning.naming import slug
from tests.planned import git, plan, references, tags
from tests.scenario import Fleet

FROM_GIT = '[project]\nregistry = "ghcr.io"\nowner = "acme"\n'
RULES = """
[version]
sources = [{ git = "describe" }, { value = "dev" }]
[tags]
build = ["{version}", "latest"]
branch = ["{branch}-{sha}"]
release = ["{version}", "{major}.{minor}", "{major}", "latest"]
prerelease = ["{version}"]
[images.api]
"""


@pytest.fixture
def api(fleet: Fleet) -> Fleet:
    """One image, and a rule for every occasion."""
    fleet.image("api")
    fleet.file("build.toml", FROM_GIT + RULES)
    return fleet


def api_tags(fleet: Fleet, release: str = "", **known: Any) -> list[str]:
    return tags(plan(fleet, request={"release": release}, **known)["api"])


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("feat/My_X", "feat-My_X"),
        ("dependabot/npm/@types/node-1.2", "dependabot-npm-types-node-1.2"),
        ("-x-", "x"),
        ("v1.2", "v1.2"),
        ("ветка", ""),
    ],
)
def test_a_branch_is_made_fit_for_a_tag(branch: str, expected: str) -> None:
    assert slug(branch) == expected


def test_on_the_default_branch_the_everyday_tags_hold(api: Fleet) -> None:
    assert api_tags(api, git=git()) == ["v1.2.3-4-g0123456", "latest"]


def test_on_another_branch_its_own_tags_hold(api: Fleet) -> None:
    assert api_tags(api, git=git(branch="feat/My_X")) == ["feat-My_X-0123456"]


def test_a_branch_whose_name_leaves_nothing_is_called_by_its_commit(api: Fleet) -> None:
    assert api_tags(api, git=git(branch="ветка")) == ["0123456-0123456"]


def test_a_detached_head_is_no_branch(api: Fleet) -> None:
    assert api_tags(api, git=git(branch="")) == ["v1.2.3-4-g0123456", "latest"]


def test_without_git_the_last_source_answers(api: Fleet) -> None:
    assert api_tags(api) == ["dev", "latest"]


@pytest.mark.parametrize("tag", ["v1.2.3", "1.2.3"])
def test_a_release_has_the_tags_its_rule_says(api: Fleet, tag: str) -> None:
    assert api_tags(api, tag, git=git()) == ["1.2.3", "1.2", "1", "latest"]


@pytest.mark.parametrize("tag", ["v1.2.3-rc1", "2.0.0-beta.1"])
def test_a_pre_release_has_only_its_own(api: Fleet, tag: str) -> None:
    assert api_tags(api, tag, git=git()) == [tag.removeprefix("v")]


def test_a_release_s_default_tags_are_its_git_tag_its_line_and_latest(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[images.api]\ntags = ['nightly']")
    assert api_tags(fleet, "v1.2.3") == ["v1.2.3", "1.2", "latest"]
    assert api_tags(fleet, "v1.2.3-rc1") == ["v1.2.3-rc1"]
    assert api_tags(fleet) == ["nightly"]


def test_real_git_states(api: Fleet) -> None:
    """No repository, a commit, a branch, a tag, a detached HEAD: what git says becomes the tags."""

    def now() -> list[str]:
        (image,) = api.inv("list --json").ok().json["images"]
        return [reference.rpartition(":")[2] for reference in image["references"]]

    assert now() == ["dev", "latest"]
    sha = api.commit()[:7]
    assert now() == [f"v0.0.0-0-g{sha}", "latest"]
    api.git("tag", "v1.2.3")
    assert now() == ["v1.2.3", "latest"]
    api.git("switch", "-q", "-c", "feat/My_X")
    later = api.commit()[:7]
    assert now() == [f"feat-My_X-{later}"]
    api.git("switch", "-q", "--detach")
    assert now() == [f"v1.2.3-1-g{later}", "latest"]
    api.git("switch", "-q", "--detach", "v1.2.3")
    assert now() == ["v1.2.3", "latest"]


def test_fields_of_git_are_those_of_the_commit(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[images.api]\ntags = ['{date}-{sha}-{branch}-{tag}']")
    assert api_tags(fleet, git=git(tag="v9")) == ["2026-05-04-0123456-main-v9"]


@pytest.mark.parametrize(
    ("field", "known", "said"),
    [
        ("sha", {}, "images.api.tags: {sha} needs a git repository with a commit, and there is none here"),
        ("date", {}, "images.api.tags: {date} needs a git repository"),
        ("tag", {}, "images.api.tags: {tag} needs a git tag on HEAD, and there is none"),
        ("tag", {"git": git()}, "images.api.tags: {tag} needs a git tag on HEAD, and there is none"),
        (
            "major",
            {},
            'images.api.tags: {major} needs a version number, but the version is "dev" (value "dev")',
        ),
    ],
)
def test_a_field_without_a_value_is_said_with_its_key(
    fleet: Fleet, field: str, known: dict[str, Any], said: str
) -> None:
    fleet.image("api")
    fleet.file("build.toml", f'{FROM_GIT}[images.api]\nversion = "dev"\ntags = ["{{{field}}}"]')
    with pytest.raises(Exception, match="needs") as caught:
        plan(fleet, **known)
    assert str(caught.value).startswith(said)


def test_an_image_that_is_not_asked_for_needs_no_tag_that_can_be_said(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.image("old")
    fleet.toml("[images.api]\n[images.old]\ntags = ['{tag}']\nlocal = ['old:{tag}']")
    assert tags(plan(fleet, "api")["api"]) == ["0.1.0", "latest"]


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("a/b", 'tags.build: tag "a/b" of image api is none. A tag is letters, digits, _ . -'),
        ("1.0+build", 'tag "1.0+build" of image api is none'),
        (".hidden", 'tag ".hidden" of image api is none'),
        ("x" * 129, "is longer than 128 characters"),
        ("", 'tag "" of image api is none'),
    ],
)
def test_a_tag_no_registry_takes_is_refused(fleet: Fleet, tag: str, said: str) -> None:
    fleet.image("api")
    fleet.toml(f'[tags]\nbuild = ["{tag}"]\n[images.api]')
    assert said in fleet.inv("plan").failed(2).err


def test_several_registries_each_have_their_own_owner_repositories_and_tags(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.file(
        "build.toml",
        """
        [project]
        owner = "acme"
        version = "1.0"
        registries = [
            { host = "ghcr.io" },
            { host = "docker.io", owner = "acmehub", repository = "{owner}-{image}", tags = ["{version}-hub"] },
            { host = "nvcr.io/org/team", owner = "" },
        ]
        [images.api]
        """,
    )
    assert references(plan(fleet)["api"]) == [
        "ghcr.io/acme/api:1.0",
        "ghcr.io/acme/api:latest",
        "docker.io/acmehub/acmehub-api:1.0-hub",
        "nvcr.io/org/team/api:1.0",
        "nvcr.io/org/team/api:latest",
    ]


def test_aliases_and_local_names_come_after_an_image_s_own(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml(
        """
        [images.api]
        tags = ["{version}"]
        aliases = ["server", "{image}-mvp"]
        local = ["{image}", "{owner}/api:dev", "localhost:5000/api:{version}"]
        """
    )
    made = plan(fleet)["api"]
    assert references(made) == [
        "ghcr.io/acme/api:0.1.0",
        "ghcr.io/acme/server:0.1.0",
        "ghcr.io/acme/api-mvp:0.1.0",
        "api:latest",
        "acme/api:dev",
        "localhost:5000/api:0.1.0",
    ]
    assert made.repository == "ghcr.io/acme/api"
    assert references(plan(fleet, request={"output": "push"})["api"]) == references(made)[:3]


def test_references_given_twice_are_one(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml(
        "[images.api]\ntags = ['{version}', '0.1.0']\naliases = ['api']\nlocal = ['api', 'api:latest']"
    )
    assert references(plan(fleet)["api"]) == ["ghcr.io/acme/api:0.1.0", "api:latest"]


def test_an_image_may_be_called_otherwise_in_the_registry(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml(
        "[constants]\nprefix = 'carbide'\n[images.api]\nrepository = 'rest/{prefix}-{image}'\ntags = ['1']"
    )
    assert references(plan(fleet)["api"]) == ["ghcr.io/acme/rest/carbide-api:1"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("repository = 'A/B'", 'images.api.repository: "ghcr.io/acme/A/B" is not an image reference'),
        ("repository = '{image}:x'", 'images.api.repository: "ghcr.io/acme/api:x" must be a name alone'),
        ("aliases = ['Server']", 'images.api.aliases: "ghcr.io/acme/Server" is not an image reference'),
        ("local = ['api:a b']", 'images.api.local: "api:a b" is not an image reference'),
    ],
)
def test_a_name_that_is_none_is_said_with_its_key(fleet: Fleet, setting: str, said: str) -> None:
    fleet.image("api")
    fleet.toml(f"[images.api]\n{setting}")
    assert said in fleet.inv("plan").failed(2).err


def test_a_sibling_s_name_is_the_first_it_is_built_under(fleet: Fleet) -> None:
    fleet.image("base")
    fleet.image("bare")
    fleet.image("api")
    fleet.toml(
        """
        [images.base]
        tags = ["{version}-x", "latest"]
        [images.bare]
        tags = []
        local = ["bare:dev"]
        [images.api]
        args = { BASE = "{image.base}", BARE = "{image.bare}" }
        labels = { "org.opencontainers.image.base.name" = "{image.base}" }
        contexts = { base = "docker-image://{image.base}" }
        """
    )
    made = plan(fleet, "api")["api"]
    assert made.args == {"BASE": "ghcr.io/acme/base:0.1.0-x", "BARE": "bare:dev"}
    assert made.labels == {"org.opencontainers.image.base.name": "ghcr.io/acme/base:0.1.0-x"}
    assert made.contexts == {"base": "docker-image://ghcr.io/acme/base:0.1.0-x"}


def test_a_sibling_without_any_name_cannot_be_named(fleet: Fleet) -> None:
    fleet.image("base")
    fleet.image("api")
    fleet.toml("[images.base]\ntags = []\n[images.api]\nargs = { BASE = '{image.base}' }")
    assert (
        "images.base has no tag and no local name, so {image.base} means nothing"
        in fleet.inv("plan").failed(2).err
    )


def test_an_image_s_own_version_is_the_one_in_its_templates(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.image("worker")
    fleet.toml("[images.api]\nversion = '7.1'\nargs = { V = '{version}/{major}' }\n[images.worker]")
    made = plan(fleet)
    assert (made["api"].version, made["worker"].version) == ("7.1", "0.1.0")
    assert made["api"].args == {"V": "7.1/7"}


def test_the_repository_of_an_image_s_addresses_needs_no_tag(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml("[images.api]\ntags = []")
    assert plan(fleet)["api"].home == "ghcr.io/acme/api"

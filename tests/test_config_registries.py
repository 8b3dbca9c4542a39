"""Where images are published, as build.toml says it."""

from __future__ import annotations

import pytest

from tasks.model import Registry
from tests.planned import findings, project
from tests.scenario import Fleet


def said(fleet: Fleet, table: str) -> None:
    fleet.image("api")
    fleet.file("build.toml", f"[project]\n{table}\n[images.api]")


@pytest.mark.parametrize(
    "host", ["ghcr.io", "localhost:5000", "nvcr.io/org/project", "acme", "[::1]:5000", "docker.io"]
)
def test_a_registry_is_a_host_a_host_with_a_path_or_one_bare_word(fleet: Fleet, host: str) -> None:
    said(fleet, f'registry = "{host}"\nowner = "a/b"')
    assert project(fleet).registries == (Registry(host, "a/b"),)


@pytest.mark.parametrize("host", ["ghcr.io/", "ghcr.io//x", "gh cr.io", "ghcr.io/Acme", ":5000"])
def test_what_is_no_registry_is_refused(fleet: Fleet, host: str) -> None:
    said(fleet, f'registry = "{host}"')
    (finding,) = findings(fleet)
    assert finding.startswith(f'project.registry: "{host}" is no registry')


def test_a_url_is_answered_with_the_host_in_it(fleet: Fleet) -> None:
    said(fleet, 'registry = "https://ghcr.io/"')
    assert findings(fleet) == [
        'project.registry: "https://ghcr.io/" must be a host or host/path, no URL: "ghcr.io"'
    ]


def test_an_owner_in_capitals_is_answered_with_small_letters(fleet: Fleet) -> None:
    said(fleet, 'registry = "ghcr.io"\nowner = "Acme"')
    (finding,) = findings(fleet)
    assert finding.startswith('project.owner: "Acme" cannot stand in a reference')
    assert finding.endswith('(did you mean "acme"?)')


def test_several_registries_have_what_differs_there(fleet: Fleet) -> None:
    said(
        fleet,
        """
        owner = "acme"
        repository = "{image}-img"
        registries = [
            { host = "ghcr.io" },
            { host = "docker.io", owner = "acmehub", repository = "{image}", tags = ["latest"] },
            { host = "localhost:5000", owner = "" },
        ]
        """,
    )
    assert project(fleet).registries == (
        Registry("ghcr.io", "acme", "{image}-img"),
        Registry("docker.io", "acmehub", "{image}", ("latest",)),
        Registry("localhost:5000", "", "{image}-img"),
    )


def test_every_mistake_in_several_registries_is_said_with_its_place(fleet: Fleet) -> None:
    said(
        fleet,
        """
        registries = [
            { host = "ghcr.io", owner = "Acme" },
            { host = "http://x.io", tags = ["{vers}"] },
            { host = "y.io" }, { host = "y.io" },
        ]
        """,
    )
    found = findings(fleet)
    assert [finding.split(": ")[0] for finding in found] == [
        "project.registries.1.host",
        "project.registries.0.owner",
        "project.registries",
        "project.registries.1.tags",
    ]
    assert "lists y.io 2 times" in found[2]


def test_one_registry_and_several_at_once_is_refused(fleet: Fleet) -> None:
    said(fleet, 'registry = "ghcr.io"\nregistries = [{ host = "docker.io" }]')
    assert findings(fleet) == ["project: give `registry` or `registries`, not both"]


def test_a_permanent_host_that_nothing_is_published_to_is_a_finding(fleet: Fleet) -> None:
    head = 'registries = [{ host = "ghcr.io/acme" }, { host = "localhost:5000" }]'
    fleet.image("api")
    tables = '[images.api]\n[promote.production]\nto = "registry.example.com/prod"\n[release]\n'
    for sound in ('["ghcr.io", "localhost:5000"]', '["registry.example.com"]'):
        fleet.file("build.toml", f"[project]\n{head}\n{tables}permanent = {sound}\n")
        assert project(fleet).release.permanent
        # Sent elsewhere for once, the file is as sound as before.
        assert project(fleet, project__registry="quay.io").release.permanent
    fleet.file("build.toml", f'[project]\n{head}\n{tables}permanent = ["localhost:5000", "ghcr.io/acme"]\n')
    (finding,) = findings(fleet)
    assert finding.startswith(
        'release.permanent.1: "ghcr.io/acme" is no host that this fleet is published to'
    )
    assert '(did you mean "ghcr.io"?)' in finding
    assert finding.endswith("Available hosts: ghcr.io, localhost:5000, registry.example.com.")


@pytest.mark.parametrize("to", ["registry.example.com/prod/", "https://registry.example.com/prod"])
def test_a_destination_that_is_no_registry_is_named_by_its_key(fleet: Fleet, to: str) -> None:
    fleet.image("api")
    fleet.toml(f'[images.api]\n[promote.production]\nto = "{to}"\n')
    (finding,) = findings(fleet)
    assert finding.startswith(f'promote.production.to: "{to}" ')

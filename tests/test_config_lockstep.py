"""`[[lockstep]]` as build.toml has it."""

from __future__ import annotations

from tasks.model import Lockstep
from tests.planned import findings, project
from tests.scenario import Fleet


def said(fleet: Fleet, table: str) -> Fleet:
    fleet.image("api")
    fleet.toml(
        f"""
        [constants]
        go = "1.25"
        [images.api]
        [images."lab-{{v.id}}"]
        dockerfile = "docker/api/Dockerfile"
        groups = ["labs"]
        matrix = {{ v = [{{ id = "1" }}, {{ id = "2" }}] }}
        [[lockstep]]
        {table}
        """
    )
    return fleet


def test_images_are_named_by_name_glob_and_group(fleet: Fleet) -> None:
    said(
        fleet,
        """files = ["src/*.rs"]\nregex = '"(lab-.)"'\nequals = "lab-{v.id}"\nimages = ["labs", "lab-?"]""",
    )
    assert project(fleet).lockstep == (
        Lockstep("lockstep.0", ("src/*.rs",), '"(lab-.)"', "lab-{v.id}", ("lab-1", "lab-2")),
    )


def test_everything_that_is_wrong_is_said_with_its_key(fleet: Fleet) -> None:
    said(
        fleet,
        """
        files = ["/etc/passwd", "../x", "build.toml", "docs/**.md", "."]
        regex = 'version'
        equals = "{sha}"
        images = ["lib-*"]
        """,
    )
    found = findings(fleet)
    assert [finding.split(": ")[0] for finding in found] == [
        "lockstep.0.regex",
        *["lockstep.0.files"] * 5,
        "lockstep.0.images",
        "lockstep.0.equals",
    ]
    assert "has no group; its first group, in (…), is the value" in found[0]
    assert '"../x" leads out of the folder of build.toml' in found[2]
    assert '"docs/**.md" names no files: ** stands alone between slashes (docs/**/*.md)' in found[4]
    assert '"." names no files' in found[5]
    assert 'no image and no group "lib-*"' in found[6]
    assert "unknown field {sha}" in found[7]


def test_what_an_image_has_is_known_only_where_images_are_named(fleet: Fleet) -> None:
    said(fleet, 'files = ["x"]\nregex = "(x)"\nequals = "{image}-{v.id}"')
    (finding,) = findings(fleet)
    assert finding.startswith("lockstep.0.equals: unknown field {image}")

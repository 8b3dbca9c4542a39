"""`[mirror]` as build.toml has it."""

from __future__ import annotations

from tests.planned import findings, project
from tests.scenario import Fleet


def said(fleet: Fleet, table: str) -> Fleet:
    fleet.image("api")
    fleet.toml(f"[images.api]\n{table}")
    return fleet


def test_constants_stand_on_both_sides(fleet: Fleet) -> None:
    said(fleet, '[constants]\ngo = "1.25"\n[mirror]\n"golang:{go}" = "localhost:5000/golang:{go}"\n')
    assert project(fleet).mirror == {"golang:1.25": "localhost:5000/golang:1.25"}


def test_what_is_no_reference_and_what_is_no_constant_is_said_with_its_key(fleet: Fleet) -> None:
    said(fleet, '[mirror]\n"Golang" = "localhost:5000/golang"\n"rust:1" = "{host}/rust:1"\n')
    first, second = findings(fleet)
    assert first.startswith('mirror."Golang": "Golang" is not an image reference')
    assert second.startswith('mirror."rust:1": unknown field {host}')


def test_one_base_has_one_stand_in(fleet: Fleet) -> None:
    said(fleet, '[constants]\ngo = "1"\n[mirror]\n"golang:1" = "a/golang"\n"golang:{go}" = "b/golang"\n')
    assert findings(fleet) == ['mirror."golang:{go}": golang:1 has a stand-in already: a/golang']


def test_a_stand_in_may_come_from_the_environment(fleet: Fleet) -> None:
    said(
        fleet,
        '[env]\nMIRROR = "constants.mirror"\n[constants]\nmirror = "a"\n[mirror]\nrust = "{mirror}/rust"\n',
    )
    assert project(fleet, {"MIRROR": "localhost:1234"}).mirror == {"rust": "localhost:1234/rust"}

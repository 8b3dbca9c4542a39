"""Constants that are made of constants."""

from __future__ import annotations

from tests.planned import findings, project
from tests.scenario import Fleet


def said(fleet: Fleet, table: str) -> Fleet:
    fleet.image("api")
    fleet.toml(f"[images.api]\n[constants]\n{table}")
    return fleet


def test_a_constant_is_made_of_others_in_any_order(fleet: Fleet) -> None:
    said(fleet, 'go_image = "{base}:{go}-alpine"\nbase = "golang"\ngo = "{number}.25"\nnumber = 1\n')
    assert project(fleet).constants["go_image"] == "golang:1.25-alpine"


def test_one_that_comes_from_outside_reaches_those_made_of_it(fleet: Fleet) -> None:
    said(fleet, 'go = "1.25"\ngo_image = "golang:{go}"\n[env]\nGO = "constants.go"\n')
    assert project(fleet, {"GO": "1.26"}).constants["go_image"] == "golang:1.26"


def test_a_circle_is_shown(fleet: Fleet) -> None:
    said(fleet, 'a = "{b}"\nb = "{a}"\n')
    (finding,) = findings(fleet)
    assert finding in {
        "constants: are made of each other in a circle: a -> b -> a",
        "constants: are made of each other in a circle: b -> a -> b",
    }


def test_what_no_constant_is_called_is_said_once_with_the_nearest(fleet: Fleet) -> None:
    said(fleet, 'go = "1.25"\nimage_of_go = "golang:{gox}"\nlong = "{image_of_go}-x"\n')
    (finding,) = findings(fleet)
    assert finding.startswith(
        'constants.image_of_go: unknown field {gox} in "golang:{gox}" (did you mean "go"?)'
    )


def test_the_facts_of_the_moment_are_no_constants(fleet: Fleet) -> None:
    said(fleet, 'name = "api-{version}"\n')
    (finding,) = findings(fleet)
    assert finding.startswith("constants.name: unknown field {version}")


def test_a_bare_number_is_what_is_written(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml(
        "[constants]\npy = 3.10\n[images.api]\nargs = { GO = 1.20, PY = '{py}', N = 10 }\nsize = 20.50\n"
    )
    (api,) = fleet.inv("list --json").ok().json["images"]
    assert api["args"] == {"GO": "1.20", "PY": "3.10", "N": "10"}
    assert "every place says so already" in fleet.inv("version --set py=3.10").ok().out
    fleet.inv("version --set py=3.1").ok()
    assert "py = 3.1\n" in (fleet.root / "build.toml").read_text()

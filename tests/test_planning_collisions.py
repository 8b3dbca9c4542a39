"""What cannot be in a plan, said before any work: collisions of names and platforms, and what the engine lacks."""

from __future__ import annotations

import pytest

from tasks.errors import ConfigError, SurroundingsError
from tests.planned import AMD, ARM, BOTH, engine, plan
from tests.scenario import Fleet


def two(fleet: Fleet, api: str = "", worker: str = "", dockerfile: str = "FROM busybox\n") -> None:
    fleet.image("api", dockerfile)
    fleet.image("worker")
    fleet.toml(f"[images.api]\n{api}\n[images.worker]\n{worker}\n")


@pytest.mark.parametrize(
    ("api", "worker", "reference"),
    [
        ("repository = 'app'", "repository = 'app'", "ghcr.io/acme/app:0.1.0"),
        ("aliases = ['worker']", "", "ghcr.io/acme/worker:0.1.0"),
        ("local = ['app']", "local = ['app:latest']", "app:latest"),
        ("local = ['app']", "local = ['docker.io/library/app']", "docker.io/library/app:latest"),
        ("local = ['ghcr.io/acme/worker:0.1.0']", "", "ghcr.io/acme/worker:0.1.0"),
    ],
)
def test_two_images_cannot_claim_one_reference(fleet: Fleet, api: str, worker: str, reference: str) -> None:
    two(fleet, api, worker)
    err = fleet.inv("plan").failed(2).err
    assert f"images api and worker both claim {reference}; give one another name" in err


def test_one_repository_may_hold_two_images_under_different_tags(fleet: Fleet) -> None:
    two(fleet, "repository = 'app'\ntags = ['api']", "repository = 'app'\ntags = ['worker']")
    assert len(plan(fleet).images) == 2


def test_an_image_that_is_only_stood_on_claims_nothing(fleet: Fleet) -> None:
    two(fleet, "repository = 'app'", "repository = 'app'")
    assert len(plan(fleet, "api").images) == 1


def test_all_collisions_are_said_at_once(fleet: Fleet) -> None:
    two(fleet, "local = ['a', 'b']", "local = ['a', 'b']")
    first, *lines = fleet.inv("plan").failed(2).err.splitlines()
    assert first == "the plan has 2 collisions"
    assert ["a:latest" in lines[0], "b:latest" in lines[1]] == [True, True]


def test_a_base_must_be_there_for_every_platform_of_its_child(fleet: Fleet) -> None:
    two(fleet, f"platforms = {list(BOTH)}", f"platforms = ['{AMD}']", "FROM acme/worker\n")
    assert fleet.inv("plan").failed(2).err.strip() == (
        f"image api wants worker for {ARM} (FROM acme/worker (docker/api/Dockerfile:1)), "
        f"but worker is for {AMD} (images.worker.platforms)"
    )


def test_what_runs_on_the_build_s_own_platform_needs_only_that(fleet: Fleet) -> None:
    two(
        fleet,
        f"platforms = ['{ARM}']",
        f"platforms = ['{AMD}']",
        "FROM --platform=$BUILDPLATFORM acme/worker AS tools\nFROM scratch\nCOPY --from=tools /x /x\n",
    )
    assert plan(fleet)["api"].platforms == (ARM,)


def test_one_platform_in_two_spellings_is_one(fleet: Fleet) -> None:
    two(
        fleet,
        "platforms = ['linux/arm64/v8', 'linux/aarch64']",
        "platforms = ['linux/arm64']",
        "FROM acme/worker\n",
    )
    assert plan(fleet)["api"].platforms == (ARM,)


@pytest.mark.parametrize(("output", "code"), [("push", 2), ("load", 0)])
def test_an_image_to_be_pushed_needs_a_tag(fleet: Fleet, output: str, code: int) -> None:
    two(fleet, "tags = []", "tags = []\npublish = false")
    ran = fleet.inv(f"plan --output {output}")
    assert ran.code == code
    assert ("image api would be pushed but has no tag; set tags.build or images.api.tags" in ran.err) == bool(
        code
    )


def test_what_is_not_published_is_built_and_not_pushed(fleet: Fleet) -> None:
    two(fleet, "publish = false")
    made = plan(fleet, request={"output": "push"})
    assert (made["api"].output, made["worker"].output) == ("none", "push")


# What the engine can do.


@pytest.mark.parametrize("output", ["auto", "load"])
def test_several_platforms_are_loaded_where_the_store_holds_them(fleet: Fleet, output: str) -> None:
    two(fleet, f"platforms = {list(BOTH)}")
    made = plan(fleet, request={"output": output}, engine=engine())
    assert made["api"].output == "load"
    assert (made["api"].action, made["api"].reason) == ("build", "asked for")


def test_several_platforms_are_refused_by_the_classic_store_with_three_ways_on(fleet: Fleet) -> None:
    two(fleet, f"platforms = {list(BOTH)}", f"platforms = {list(BOTH)}")
    with pytest.raises(ConfigError) as caught:
        plan(fleet, engine=engine(store="classic"))
    message = str(caught.value)
    assert message.startswith(
        "image api (and 1 more) is for 2 platforms, and this engine's image store holds one"
    )
    for way in (f"--platforms {AMD}", "inv push", "--output none"):
        assert way in message


@pytest.mark.parametrize("output", ["push", "none"])
def test_the_classic_store_does_not_matter_where_another_builder_loads_nothing(
    fleet: Fleet, output: str
) -> None:
    two(fleet, f"platforms = {list(BOTH)}")
    other = engine(store="classic", driver="docker-container")
    assert plan(fleet, request={"output": output}, engine=other)["api"].output == output
    with pytest.raises(ConfigError, match=r"need a builder that is not the engine's own"):
        plan(fleet, request={"output": output}, engine=engine(store="classic"))


def test_the_classic_store_loads_one_platform_and_any_base_below_it(fleet: Fleet) -> None:
    two(fleet, f"platforms = ['{AMD}']", f"platforms = {list(BOTH)}", "FROM acme/worker\n")
    made = plan(fleet, "api", engine=engine(store="classic", driver="remote"))
    assert [image.output for image in made.images] == ["none", "load"]


def test_a_platform_the_builder_lacks_is_refused_with_those_it_offers(fleet: Fleet) -> None:
    two(fleet, "platforms = ['linux/riscv64']")
    with pytest.raises(SurroundingsError) as caught:
        plan(fleet, engine=engine())
    assert str(caught.value).startswith(
        f"the builder cannot build for linux/riscv64; it offers {AMD}, {ARM}. "
    )
    assert "qemu-user-static" in str(caught.value)


def test_without_a_word_the_engine_s_own_platform_is_built(fleet: Fleet) -> None:
    two(fleet)
    assert plan(fleet, engine=engine(native=ARM))["api"].platforms == (ARM,)
    assert plan(fleet, host=ARM)["api"].platforms == (ARM,)


def test_without_an_engine_nothing_is_refused_and_every_action_is_unknown(fleet: Fleet) -> None:
    two(fleet, "platforms = ['linux/riscv64', 'linux/386']")
    made = plan(fleet, no_engine="nobody is there")
    assert {(image.action, image.reason) for image in made.images} == {("unknown", "nobody is there")}

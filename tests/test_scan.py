"""`inv scan`: a scanner (a stand-in) is given what was built, by digest and platform; its SARIF decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks.checks import scanning
from tasks.model import Scanning
from tests.evidences import evidence
from tests.planned import findings
from tests.scanners import Scanner
from tests.scenario import Fleet


@pytest.fixture
def scanner(tmp_path: Path) -> Scanner:
    return Scanner(tmp_path / "scanner")


def test_without_a_scanner_it_is_said_which_are_known_and_how_to_name_another(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.image("api")
    fleet.toml("[images.api]")
    nothing = {"PATH": str(tmp_path)}
    err = fleet.inv("scan", env=nothing).failed(3).err
    assert "no scanner is on PATH: neither trivy nor grype" in err
    assert "scan.command" in err
    fleet.toml('[images.api]\n[scan]\ncommand = ["snyk", "{reference}", "{sarif}"]')
    assert 'the scanner "snyk" (scan.command) is not on PATH' in fleet.inv("scan", env=nothing).failed(3).err


def test_a_scanner_of_the_repository_is_found_from_any_folder(fleet: Fleet) -> None:
    fleet.image("api")
    fleet.toml('[images.api]\n[scan]\ncommand = ["tools/scan.sh", "{reference}", "{sarif}"]\n')
    fleet.file("tools/scan.sh", "#!/bin/sh\n", 0o755)
    for folder in (".", "docker/api"):
        assert "scan.command" not in fleet.inv("scan", cwd=folder).err
    (fleet.root / "tools/scan.sh").unlink()
    assert 'the scanner "tools/scan.sh" (scan.command)' in fleet.inv("scan").failed(3).err


def test_where_nothing_was_built_nothing_was_scanned_and_that_is_no_pass(
    fleet: Fleet, scanner: Scanner
) -> None:
    fleet.image("api")
    fleet.toml("[images.api]", head='[project]\nregistry = "localhost:1"\nowner = "acme"\nversion = "1"\n')
    err = fleet.inv("scan", env=scanner.path(fleet.env)).failed(3).err
    assert "nothing was scanned: no Docker Engine answers at unix:///nowhere.sock" in err
    assert "localhost:1 does not answer" in err
    assert not scanner.calls


@pytest.mark.engine
def test_what_engine_and_registry_do_not_have_is_to_be_built(real: Fleet, scanner: Scanner) -> None:
    real.image("api")
    real.toml("[images.api]")
    err = real.inv("scan", env=scanner.path(real.env)).failed(5).err
    assert (
        f"nothing was scanned: {real.registry}/{real.owner}/api:0.1.0 is not in the engine. Build it" in err
    )
    assert not scanner.calls


@pytest.mark.parametrize(("there", "then"), [(None, "*\n"), ("*.tmp\n", "*.tmp\n"), ("", "")])
def test_git_leaves_a_new_folder_alone_and_one_that_was_there_is_not_ours(
    tmp_path: Path, scanner: Scanner, monkeypatch: pytest.MonkeyPatch, there: str | None, then: str
) -> None:
    monkeypatch.setenv("PATH", str(scanner.folder), prepend=":")
    ignored = tmp_path / "project" / "reports" / ".gitignore"
    if there is not None:
        ignored.parent.mkdir(parents=True)
        if there:
            ignored.write_text(there)
    (tmp_path / "layers").mkdir()
    found = scanning.scanner(Scanning(folder="reports"), {}, tmp_path / "project")
    assert scanning.scan(found, "api", evidence(tmp_path / "layers"))
    assert (ignored.parent / "api" / "linux-amd64.sarif").is_file()
    assert (ignored.read_text() if ignored.exists() else "") == then


@pytest.mark.parametrize("folder", [".", "", "..", "{root}"])
def test_reports_have_a_folder_of_their_own(fleet: Fleet, folder: str) -> None:
    fleet.image("api")
    folder = folder.format(root=fleet.root)
    fleet.toml(f"[images.api]\n[scan]\nfolder = '{folder}'\n")
    (said,) = findings(fleet)
    assert said.startswith(
        f'scan.folder: reports need a folder of their own, and "{folder}" holds the project'
    )


@pytest.mark.engine
def test_every_platform_is_scanned_by_digest_and_its_reports_are_kept(real: Fleet, scanner: Scanner) -> None:
    real.image("api", "FROM busybox:stable\nRUN echo 1\n")
    real.image("web", "FROM busybox:stable\nRUN echo 2\n")
    real.toml('[images.api]\nplatforms = ["linux/amd64", "linux/arm64"]\n[images.web]')
    real.inv("build").ok()
    env = scanner.path(real.env)
    scanner.finds(("CVE-2026-1", "5.0"))
    ran = real.inv("scan --json", env=env).ok()
    checks = ran.json["checks"]
    assert [(one["image"], one["platform"]) for one in checks] == [
        ("api", "linux/amd64"), ("api", "linux/arm64"), ("web", "linux/amd64"),
    ]  # fmt: skip
    assert len({one["digest"] for one in checks}) == 3
    assert checks[0]["detail"] == "1 medium; artifacts/scan/api/linux-amd64.sarif"
    first, second = scanner.calls[:2]
    assert first[:3] == ["image", "--quiet", "--platform"]
    assert first[3] == "linux/amd64"
    assert first[-1].startswith(f"{real.registry}/{real.owner}/api@sha256:")
    assert second[:2] == ["convert", "--quiet"]
    assert json.loads((real.root / "artifacts/scan/api/linux-arm64.sarif").read_text())["version"] == "2.1.0"
    assert (real.root / "artifacts/scan/web/linux-amd64.json").exists()
    assert not list((real.root / "artifacts").rglob(".scan-*"))
    real.commit()
    assert "artifacts" not in real.git("ls-files"), "reports are nobody's source"

    scanner.finds(("CVE-2026-1", "5.0"), ("CVE-2026-2", "9.8"), status=1)
    ran = real.inv("scan --images api --platforms linux/arm64", env=env).failed(5)
    assert "1 critical, 1 medium; artifacts/scan/api/linux-arm64.sarif" in " ".join(ran.out.split())
    assert "critical  CVE-2026-2  CVE-2026-2 in openssl" in ran.out
    assert "CVE-2026-1 in openssl" not in ran.out, "it is not severe enough to count"


@pytest.mark.engine
def test_the_configured_command_the_severity_and_reporting_only(real: Fleet, scanner: Scanner) -> None:
    real.image("api", "FROM busybox:stable\nRUN echo 3\n")
    command = '["trivy", "--db={db}", "--on={platform}", "{image}", "{digest}", "{reference}", "{sarif}"]'
    scan = f"[images.api]\n[constants]\ndb = '/srv/db'\n[scan]\nfolder = 'reports'\ncommand = {command}\n"
    real.toml(scan)
    real.inv("build").ok()
    env = scanner.path(real.env)
    scanner.finds(("CVE-1", "5.0"))
    real.inv("scan", env=env).ok()
    (call,) = scanner.calls
    assert call[:3] == ["--db=/srv/db", "--on=linux/amd64", "api"]
    assert call[3].startswith("sha256:")
    assert call[5].endswith(".sarif")
    assert (real.root / "reports/api/linux-amd64.sarif").exists()
    real.toml(scan + 'severity = "medium"')
    real.inv("scan", env=env).failed(5)
    real.toml(scan + 'severity = "medium"\nfail = false')
    assert "warned" in real.inv("scan", env=env).ok().out

    # What a scanner says of itself: a report is what counts, and a failure without one is no pass.
    scanner.finds(sarif=None, status=0)
    ran = real.inv("scan", env=env).failed(5)
    assert "wrote no SARIF" in " ".join(ran.out.split())
    assert not (real.root / "reports/api/linux-amd64.sarif").exists(), "the last run's is not this run's"
    scanner.finds(status=2, says="FATAL no database")
    ran = real.inv("scan", env=env).failed(5)
    assert "FATAL no database" in ran.out


@pytest.mark.engine
def test_what_was_only_pushed_is_scanned_in_the_registry(real: Fleet, scanner: Scanner) -> None:
    real.image("api", "FROM busybox:stable\nRUN echo 4\n")
    real.toml('[images.api]\nplatforms = ["linux/amd64", "linux/arm64"]')
    real.inv("push").ok()
    real.inv("clean --yes").ok()
    ran = real.inv("scan --json", env=scanner.path(real.env)).ok()
    for check, call in zip(ran.json["checks"], scanner.calls[::2], strict=True):
        assert call[-1] == f"{real.registry}/{real.owner}/api@{check['digest']}"

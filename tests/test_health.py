"""Health checks that cannot fail, and those that may."""

from __future__ import annotations

import subprocess

import pytest

from tasks.checks.health import cannot_fail


@pytest.mark.parametrize(
    "command",
    [
        "curl -f http://localhost:8080/ || true",
        "curl -f http://localhost:8080/ || :",
        "wget -q localhost || exit 0",
        "wget -q localhost; exit 0",
        "wget -q localhost || echo unhealthy",
        "true",
        "exit 0",
        "echo ok",
        "curl -s localhost:8080 | cat",
        "curl -fs localhost:8080/health | head -1",
        'ps aux | grep "code-server"',
        "ps aux | grep code-server || exit 1",
        "ps -ef | grep -q sshd",
        "ps aux | grep supervisor | grep -v defunct",
        "pgrep -f 'workspace-supervisor' || exit 1",
        "pgrep -f supervisor && curl -f localhost",
    ],
)  # fmt: skip
def test_it_cannot_fail_and_it_is_said_why(command: str) -> None:
    assert cannot_fail(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "curl -f http://localhost:8080/",
        "curl -f http://localhost:8080/ || exit 1",
        "curl -f 'http://localhost:8080/?a=1;true' || exit 1",
        "wget -q -O- localhost | grep -q ok",
        "set -o pipefail; curl -f localhost | cat",
        "ps aux | grep '[c]ode-server'",
        "ps aux | grep code-server | grep -v grep",
        "pgrep sshd || exit 1",
        "pgrep -f '[s]upervisor' || exit 1",
        "pgrep -f supervisor",
        "test -f /tmp/true",
        "/app/true-health",
        "/app/api health",
    ],
)
def test_what_may_fail_is_left_alone(command: str) -> None:
    assert cannot_fail(command) == ""


def test_the_shell_itself_agrees() -> None:
    def status(command: str) -> int:
        return subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False).returncode

    for command in ("false || true", "false; exit 0", "false | cat", "false || echo no"):
        assert cannot_fail(command)
        assert status(command) == 0
    for command in ("false || exit 1", "echo no | grep -q yes"):
        assert not cannot_fail(command)
        assert status(command) != 0

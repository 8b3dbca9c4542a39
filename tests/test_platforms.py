"""The one spelling of a platform: containerd's."""

from __future__ import annotations

import pytest

from tasks.errors import ConfigError
from tasks.planning.platforms import Platform


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("Linux/AArch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v9", "linux/arm64/v9"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/i386", "linux/386"),
        ("arm64", "linux/arm64"),
        ("linux", "linux/riscv64"),
    ],
)
def test_a_platform_has_one_spelling(text: str, expected: str) -> None:
    assert str(Platform.parse(text, native="linux/riscv64")) == expected


@pytest.mark.parametrize("text", ["", "linux/", "a/b/c/d", "linux/a b"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no platform"):
        Platform.parse(text)

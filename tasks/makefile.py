"""Prints where argosy.mk is, for `include $(shell argosy-mk)` in a Makefile."""

from __future__ import annotations

from pathlib import Path


def main() -> None:
    """Prints the path of the make targets that come with this package."""
    print(Path(__file__).with_name("argosy.mk"))

"""Argosy: builds, tests and releases all container images of a repository as one fleet.

Under `inv` in this repository this file does not run (tasks.py stands for it), so it holds nothing but
re-exports. Elsewhere, `from argosy import ns` takes every task up.
"""

from __future__ import annotations

from .collection import ns

__all__ = ["ns"]

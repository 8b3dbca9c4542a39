"""Invoke's door to this repository's tasks.

Invoke's loader takes tasks.py, Python's own import takes the folder tasks/; giving this module a `__path__`
makes it that package too, so both see the same code.
"""

from __future__ import annotations

from pathlib import Path

__path__ = [str(Path(__file__).with_suffix(""))]

from tasks.collection import ns

__all__ = ["ns"]

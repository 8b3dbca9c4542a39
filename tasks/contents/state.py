"""Where Argosy keeps its own files, for each project apart: logs, what was built and seen, releases under way.

Outside the repository on purpose: a log written inside a build context would change every `COPY . .`.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from ..errors import SurroundingsError
from ..homes import home

KEPT_LOGS = 20


def folder(root: Path) -> Path:
    """Returns a project's folder under $XDG_STATE_HOME, ~/.local/state if that is not set.

    It need not be there: who writes makes it, and who only looks needs no folder that can be written.
    """
    base = Path(os.environ.get("XDG_STATE_HOME") or home() / ".local" / "state")
    key = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:10]
    return base / "argosy" / f"{root.name}-{key}"


def new_log(root: Path, name: str) -> Path:
    """Returns the path of a new log file; all but the newest few are removed.

    Raises SurroundingsError where there can be none.
    """
    try:
        logs = folder(root) / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        for old in sorted(logs.iterdir())[: -KEPT_LOGS + 1]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise SurroundingsError(
            f"cannot keep logs in {error.filename}: {error.strerror}. "
            "Set XDG_STATE_HOME to a folder that can be written."
        ) from None
    return logs / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{name}.log"


def unwritable(error: OSError, log_file: Path) -> SurroundingsError:
    """Returns the error for a disk that takes no more, or a log that cannot be written."""
    return SurroundingsError(
        f"cannot write {error.filename or log_file}: {error.strerror or error}. "
        "Free some room, or set XDG_STATE_HOME (logs) and TMPDIR to folders that have it."
    )

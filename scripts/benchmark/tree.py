"""Times the reading of a large context that was read before: every file is known by its stat.

It runs Argosy's own code in a process of its own, from the loading of what is remembered to the last digest.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .cell import FILES

FOLDERS = 1000
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys, time
from pathlib import Path
from tasks.contents import trees
from tasks.contents.statcache import StatCache

root, memory = map(Path, sys.argv[1:])
started = time.perf_counter()
cache = StatCache(memory)
entries = trees.tree(root, trees.Rules(), cache).entries
cache.save()
print(time.perf_counter() - started, len(entries))
"""


def read(folder: Path) -> float | None:
    """Returns the seconds that reading the context takes; writes it the first time, and reads it once before."""
    context, memory = folder / "context", folder / "memory"
    if not context.exists():
        _write(context)
        # What was changed within two seconds is not remembered, for it may change again unseen.
        for file in context.rglob("*"):
            os.utime(file, (1, 1))
    _timed(context, memory)
    return _timed(context, memory)


def _write(context: Path) -> None:
    for number in range(FOLDERS):
        inside = context / f"{number // 40:02}" / f"{number:04}"
        inside.mkdir(parents=True)
        for file in range(FILES // FOLDERS):
            inside.joinpath(f"{file:03}.txt").write_text(f"{number} {file}\n", encoding="utf-8")


def _timed(context: Path, memory: Path) -> float | None:
    call = [sys.executable, "-c", PROGRAM, str(context), str(memory)]
    done = subprocess.run(call, cwd=ROOT, check=False, capture_output=True, text=True)
    return float(done.stdout.split()[0]) if done.returncode == 0 else None

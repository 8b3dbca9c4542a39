"""What an image's `extract` may say: paths in the image, and names that stay below the folder they are written to.

It knows no engine: whether a path is in the image is seen when it is taken out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath

from .findings import Finding


def checked(pairs: Mapping[str, str], where: str, findings: list[Finding]) -> Mapping[str, str]:
    """Returns the pairs (path in the image -> name outside) as they are; what is wrong with them is said."""
    for path, name in pairs.items():
        parts = PurePosixPath(name).parts
        if not path.startswith("/"):
            findings.append(Finding(f"{where}.{path}", "is a path in the image and begins with /"))
        if not parts or name.startswith("/") or ".." in parts:
            message = f'"{name}" is no name below the folder of what is extracted (no "..", no leading "/")'
            findings.append(Finding(f"{where}.{path}", message))
    twice = sorted(name for name, count in Counter(pairs.values()).items() if count > 1)
    if twice:
        findings.append(Finding(where, f"several paths would be written to {', '.join(twice)}"))
    return pairs

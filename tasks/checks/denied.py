"""A mounted path that an image's user may not use: found behind a "permission denied", with the line that mends it.

It knows what a failed test wrote and who owns its mounts on this machine; it starts nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..homes import expanded
from ..model import ImageTest
from .check import Check
from .expectations import Names
from .subject import Subject


def explained(check: Check, subject: Subject, test: ImageTest, root: Path) -> Check:
    """Returns a failed check with whose a mount is and whose it should be, where that is why; else as it was."""
    if check or "permission denied" not in "\n".join(check.log).lower():
        return check
    user, group = Names(subject.evidence).ids(subject.evidence.configuration.user or "root")
    for source in (mount.partition(":")[0] for mount in test.around.mounts):
        about = (root / expanded(source)).stat()
        if user not in {"0", str(about.st_uid)}:
            whose = f"it runs as {user}:{group}, and {source} belongs to {about.st_uid}:{about.st_gid}"
            return replace(check, detail=f"{check.detail}; {whose}: chown -R {user}:{group} {source}")
    return check

"""Whether the files of the source repeat what build.toml says: the files of every `[[lockstep]]`, read and compared.

It compares with build.toml as it stands: a run that is sent elsewhere from outside (`--registry`) is no drift.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .. import config
from ..errors import ConfigError
from ..model import Lockstep, Project
from ..planning.facts import Facts
from ..planning.lockstep import Disagreement, disagreements
from ..planning.naming import Naming


def texts(root: Path, one: Lockstep) -> dict[str, str]:
    """Returns the files of one lockstep: path -> text. Raises ConfigError for one that is no text."""
    found: dict[str, str] = {}
    for glob in one.files:
        hidden = any(part.startswith(".") for part in PurePosixPath(glob).parts)
        for path in sorted(root.glob(glob)):
            name = path.relative_to(root)
            if path.is_file() and (hidden or not any(part.startswith(".") for part in name.parts)):
                found[name.as_posix()] = read(path)
    return found


def read(path: Path) -> str:
    """Returns a file's text with its line ends as they are. Raises ConfigError where that cannot be."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None


def compare(project: Project, facts: Facts, release: str = "") -> Iterator[Disagreement]:
    """Yields every place that does not agree; in a release `{version}` is the release's."""
    if not project.lockstep:
        return
    declared = config.load(project.root, {}) if project.origins else project
    naming = Naming(declared, facts, release)
    for one in declared.lockstep:
        yield from disagreements(naming, one, texts(declared.root, one))


def require(project: Project, facts: Facts, release: str = "") -> None:
    """Raises ConfigError with every place that does not agree."""
    found = list(compare(project, facts, release))
    if found:
        count = f"{len(found)} place{'s' if len(found) > 1 else ''}"
        raise ConfigError(
            f"the source does not repeat what build.toml says, in {count}:\n"
            + "".join(f"  {one}\n" for one in found)
            + "Mend the one or the other; `inv version --set` writes a version or a constant to all its places."
        )

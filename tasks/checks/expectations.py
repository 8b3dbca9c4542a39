"""What is to be seen in an image without running it: its configuration and its files against what is expected.

No container is started and no shell is needed in the image. Each function yields (what was looked at, what is wrong
or "", what was found).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

from ..evidence import elf
from ..evidence.configuration import Configuration
from ..evidence.evidence import Evidence
from ..evidence.tree import File
from ..model import NON_ROOT, Expect, ExpectedFile
from .check import Check
from .subject import Subject

USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USUAL_INTERVAL = 30.0
"""Docker's own, where an image says none."""

Seen = Iterator[tuple[str, str, str]]


def expectations(subject: Subject) -> tuple[Check, ...]:
    """Returns one check for each thing that is expected of an image."""
    expect, evidence = subject.contract.expect, subject.evidence
    looks: tuple[Callable[[Expect, Evidence], Seen], ...] = (
        _user,
        _declared,
        _tables,
        _health,
        _files,
        _commands,
    )
    return tuple(
        subject.check(name, wrong, found) for look in looks for name, wrong, found in look(expect, evidence)
    )


def _user(expect: Expect, evidence: Evidence) -> Seen:
    if expect.user is None:
        return
    said = evidence.configuration.user or "root"
    names = Names(evidence)
    user, group = names.ids(said)
    found = said if said in {user, f"{user}:{group}"} else f"{said} ({user}:{group})"
    if expect.user == NON_ROOT:
        yield "user", f"runs as {found}" if user == "0" else "", found
        return
    wanted, wanted_group = names.ids(expect.user)
    same = user == wanted and (":" not in expect.user or group == wanted_group)
    yield "user", "" if same else f"runs as {found}, not {expect.user}", found


def _declared(expect: Expect, evidence: Evidence) -> Seen:
    """Lists that are what is expected, whole; the entrypoint in its order."""
    config = evidence.configuration
    for name in ("ports", "volumes"):
        wanted, there = getattr(expect, name), getattr(config, name)
        if wanted is not None:
            same = sorted(wanted) == sorted(there)
            found = ", ".join(there) or "none"
            yield name, "" if same else f"{found}, not {', '.join(sorted(wanted)) or 'none'}", found
    if expect.entrypoint is not None:
        found = " ".join(config.entrypoint) or "none"
        same = expect.entrypoint == config.entrypoint
        yield "entrypoint", "" if same else f"{found}, not {' '.join(expect.entrypoint) or 'none'}", found


def _tables(expect: Expect, evidence: Evidence) -> Seen:
    for name in ("env", "labels"):
        wanted: Mapping[str, str] = getattr(expect, name)
        there: Mapping[str, str] = getattr(evidence.configuration, name)
        wrong = [
            f'{key} is "{there[key]}", not "{value}"' if key in there else f"{key} is not set"
            for key, value in wanted.items()
            if there.get(key) != value
        ]
        if wanted:
            yield name, "; ".join(wrong), ", ".join(wanted)


def _health(expect: Expect, evidence: Evidence) -> Seen:
    if expect.healthcheck is None:
        return
    health = evidence.configuration.health
    declared = health is not None and health.test[0] != "NONE"
    every = (health.interval if health else 0) or USUAL_INTERVAL
    found = f"one every {every:g} s" if declared else "none is declared"
    wrong = declared != expect.healthcheck or (expect.interval is not None and every != expect.interval)
    wanted = ", not none" if not expect.healthcheck else ""
    if expect.interval is not None and declared:
        wanted = f", not every {expect.interval:g} s"
    yield "healthcheck", found + wanted if wrong else "", found


def _files(expect: Expect, evidence: Evidence) -> Seen:
    names = Names(evidence)
    for path, wanted in expect.files.items():
        file = evidence.tree.find(path)
        if file is None:
            yield f"files.{path}", "is not there", ""
            continue
        wrong = [*_attributes(file, wanted, names), *_content(file, wanted, evidence)]
        yield (
            f"files.{path}",
            "; ".join(wrong),
            f"{file.kind}, {file.mode & 0o7777:04o}, {file.uid}:{file.gid}",
        )


def _attributes(file: File, wanted: ExpectedFile, names: Names) -> Iterator[str]:
    if wanted.mode is not None and file.mode & 0o7777 != int(wanted.mode, 8):
        yield f"its mode is {file.mode & 0o7777:04o}, not {int(wanted.mode, 8):04o}"
    if wanted.owner is not None:
        user, group = names.ids(wanted.owner)
        if (str(file.uid), str(file.gid) if ":" in wanted.owner else group) != (user, group):
            yield f"its owner is {file.uid}:{file.gid}, not {wanted.owner}"


def _content(file: File, wanted: ExpectedFile, evidence: Evidence) -> Iterator[str]:
    if wanted.content is not None:
        text = (evidence.read(file.path) or b"").decode("utf-8", "replace")
        if not re.search(wanted.content, text, re.MULTILINE):
            yield f"holds nothing like '{wanted.content}'"
    if wanted.static is None and wanted.stripped is None:
        return
    program = next((elf.program(content) for _, content in evidence.contents([file])), None)
    if program is None:
        yield "is no program (ELF)"
        return
    words = (("static", "statically linked"), ("stripped", "stripped"))
    for key, word in words:
        if getattr(wanted, key) not in (None, getattr(program, key)):
            yield f"is {'not ' if getattr(wanted, key) else ''}{word}"


def _commands(expect: Expect, evidence: Evidence) -> Seen:
    if expect.commands is not None:
        missing = [name for name in expect.commands if not _command(name, evidence)]
        wrong = f"not there: {', '.join(missing)}" if missing else ""
        yield "commands", wrong, ", ".join(expect.commands)
    if expect.absent is not None:
        paths = [
            (name, evidence.tree.find(name) if "/" in name else _command(name, evidence))
            for name in expect.absent
        ]
        there = [name if "/" in name else f"{name} ({file.path})" for name, file in paths if file]
        yield "absent", f"there all the same: {', '.join(there)}" if there else "", ", ".join(expect.absent)


def _command(name: str, evidence: Evidence) -> File | None:
    """Returns the program that a name means in the image, by its PATH."""
    config: Configuration = evidence.configuration
    for folder in config.env.get("PATH", USUAL_PATH).split(":"):
        file = evidence.tree.find(posixpath.join(folder or "/", name))
        if file and file.kind == "file" and file.mode & 0o111:
            return file
    return None


class Names:
    """The users and groups of an image, by name; what its files do not name stays as it is."""

    def __init__(self, evidence: Evidence) -> None:
        self._users = {words[0]: words[2:4] for words in _lines(evidence, "/etc/passwd") if len(words) > 3}
        self._groups = {words[0]: words[2] for words in _lines(evidence, "/etc/group") if len(words) > 2}

    def ids(self, text: str) -> tuple[str, str]:
        """Returns the numbers of "user[:group]"; without a group the user's own, or root's as engines take it."""
        name, colon, group = text.partition(":")
        by_number = dict(self._users.values())
        user, own = self._users.get(name) or [name, by_number.get(name, "0")]
        user = "0" if user == "root" else user
        return user, self._groups.get(group, "0" if group == "root" else group) if colon else own


def _lines(evidence: Evidence, path: str) -> list[list[str]]:
    text = (evidence.read(path) or b"").decode("utf-8", "replace")
    return [line.split(":") for line in text.splitlines()]

"""What images promise: the tables `expect`, `tests`, `size` and `waive`, checked and turned into contracts.

Everything that the file alone can get wrong is found here; which promises hold for whom is planning's matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from ..errors import nearest
from ..model import Contract, Expect, ExpectedFile, ImageTest, Surroundings
from .contract_table import ExpectTable, TestTable
from .findings import Finding
from .image_table import ImageTable
from .schema import fields_of

MEGABYTE = 1_000_000
KINDS = ("run", "http", "healthy", "idle", "unhealthy", "stops", "compose", "structure")
_MODE = re.compile(r"0?[0-7]{3,4}")
_OWNER = re.compile(r"[\w.-]+(:[\w.-]+)?")
_PORT = re.compile(r"\d{1,5}(/(tcp|udp|sctp))?")
_MOUNT = re.compile(r"[^:]+:/[^:]*(:(ro|rw))?")
LOOKED_AT = (*fields_of(ExpectTable), "size")
"""The first words of the names of checks; tests have names of their own."""


def contract(
    table: ImageTable,
    where: str,
    findings: list[Finding],
    *,
    known: Collection[str] = (),
    expanded: Callable[[str], str] = str,
) -> Contract:
    """Returns what a table promises; `where` is its key path, `known` are other names that may be waived.

    `expanded` fills in the fields of a text that becomes a number.
    """
    tests = tuple(_test(one, f"{where}.tests.{at}", findings) for at, one in enumerate(table.tests))
    findings += [Finding(f"{where}.{key}", problem) for key, problem in _wrong(table.expect)]
    names = [*LOOKED_AT, *known, *(name for test in tests for name in (test.title, *test.asked))]
    for name, reason in table.waive.items():
        if name.partition(".")[0] not in names and name not in names:
            findings.append(Finding(f"{where}.waive", f'no check is called "{name}"{nearest(name, names)}'))
        if not reason.strip():
            findings.append(Finding(f"{where}.waive.{name}", "needs a reason"))
    return Contract(
        expect=_expect(table.expect),
        tests=tests,
        size=_size(table.size, expanded, f"{where}.size", findings) if table.size else None,
        waive=table.waive,
        inherit=table.inherit,
    )


def _size(
    given: Sequence[float | str], expanded: Callable[[str], str], where: str, findings: list[Finding]
) -> tuple[float, float] | None:
    texts = [expanded(one) if isinstance(one, str) else one for one in given]
    try:
        least, most = (float(one) for one in texts)
    except ValueError:
        said = next(one for one in texts if isinstance(one, str))
        if "{" not in said:  # an unknown field is a finding already
            findings.append(Finding(where, f'"{said}" is no number of megabytes'))
        return None
    if least > most:
        findings.append(Finding(where, f"the least, {least:g} MB, is more than the most, {most:g} MB"))
    return least, most


def titles(table: ImageTable) -> tuple[str, ...]:
    """Returns what a table's tests are called, for whoever may waive them."""
    return tuple(name for test in map(_read, table.tests) for name in (test.title, *test.asked))


def _expect(table: ExpectTable) -> Expect:
    health = table.healthcheck
    return Expect(
        user=table.user,
        ports=None if table.ports is None else tuple(map(_port, table.ports)),
        env=table.env,
        volumes=_words(table.volumes),
        entrypoint=_words(table.entrypoint),
        labels=table.labels,
        healthcheck=health.declared if health else None,
        interval=health.interval if health else None,
        files={path: ExpectedFile(**one.model_dump()) for path, one in table.files.items()},
        commands=_words(table.commands),
        absent=_words(table.absent),
    )


def _words(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)


def _port(text: str) -> str:
    return text if "/" in text else f"{text}/tcp"


_ALONE = {"compose", "structure"}
_SERVES = {"http", "healthy", "idle", "unhealthy", "stops"}
_FITS: tuple[tuple[tuple[str, ...], str, Callable[[set[str]], bool]], ...] = (
    (("output", "regex"), "run or http", lambda kinds: bool(kinds & {"run", "http"})),
    (("port", "status"), "http", lambda kinds: "http" in kinds),
    (("exit",), "run, of a command that ends", lambda kinds: "run" in kinds and not kinds & _SERVES),
    (
        ("entrypoint", "env", "mounts", "groups", "memory", "cpus", "socket"),
        "what argosy runs itself; a compose or structure file says it in its own words",
        lambda kinds: not kinds & _ALONE,
    ),
)
"""Keys of a test, what they go with in words, and whether they fit the kinds of test that are given."""


def _wrong(table: ExpectTable) -> Iterator[tuple[str, str]]:
    """Yields (key path, what is wrong) of expectations."""
    for port in table.ports or ():
        if not _PORT.fullmatch(port):
            yield "expect.ports", f'"{port}" is no port; one looks like 8080 or "53/udp"'
    for path, one in table.files.items():
        where = f"expect.files.{path}"
        if not path.startswith("/"):
            yield where, f'must be an absolute path: "/{path}"'
        if one.mode is not None and not _MODE.fullmatch(one.mode):
            yield f"{where}.mode", f'"{one.mode}" is no mode; one looks like "0755"'
        if one.owner is not None and not _OWNER.fullmatch(one.owner):
            yield f"{where}.owner", f'"{one.owner}" is no owner; one looks like "app" or "1000:1000"'
        if one.content is not None and (problem := _pattern(one.content)):
            yield f"{where}.content", problem


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        return f"'{text}' is no pattern: {error}"
    return ""


def _test(table: TestTable, where: str, findings: list[Finding]) -> ImageTest:
    given = [kind for kind in KINDS if getattr(table, kind) not in (None, "", False)]
    alone = [kind for kind in ("compose", "structure") if kind in given]
    if not given:
        wanted = ", ".join(KINDS)
        findings.append(Finding(where, f"says nothing to be done; a test has one of {wanted}"))
    if "structure" in alone and len(given) > 1:
        findings.append(Finding(where, f"structure stands alone, not with {' and '.join(given[:-1])}"))
    if "compose" in alone and set(given) - {"compose", "http"}:
        findings.append(
            Finding(where, "compose goes with http alone; what is run stands in the compose file")
        )
    if table.service and not table.compose:
        findings.append(Finding(f"{where}.service", "goes with compose"))
    if table.compose and table.http is not None and not table.service:
        findings.append(Finding(where, "compose with http needs the service that is asked"))
    if table.regex is not None and (problem := _pattern(table.regex)):
        findings.append(Finding(f"{where}.regex", problem))
    if table.port and not _PORT.fullmatch(table.port):
        findings.append(Finding(f"{where}.port", f'"{table.port}" is no port'))
    if table.http is not None and not table.http.startswith("/"):
        findings.append(Finding(f"{where}.http", f'must be a path: "/{table.http}"'))
    findings += [
        Finding(f"{where}.mounts", f'"{mount}" is no mount; one looks like certs:/var/certs:ro')
        for mount in table.mounts
        if not _MOUNT.fullmatch(mount)
    ]
    findings += [
        Finding(f"{where}.{key}", f"goes with {wanted}")
        for keys, wanted, fits in _FITS
        for key in keys
        if given and key in table.model_fields_set and not fits(set(given))
    ]
    return _read(table)


def _read(table: TestTable) -> ImageTest:
    return ImageTest(
        name=table.name,
        run=_words(table.run),
        entrypoint=table.entrypoint,
        http=table.http,
        port=_port(table.port) if table.port else "",
        status=table.status,
        output=table.output,
        regex=table.regex,
        exit=table.exit,
        healthy=table.healthy,
        idle=None if table.idle is None else table.idle * MEGABYTE,
        unhealthy=_words(table.unhealthy),
        stops=table.stops,
        within=table.within,
        compose=table.compose,
        service=table.service,
        structure=table.structure,
        platforms=tuple(table.platforms),
        around=Surroundings(
            env=table.env,
            mounts=tuple(table.mounts),
            groups=tuple(table.groups),
            memory=table.memory,
            cpus=table.cpus,
            socket=table.socket,
        ),
    )


def said(contract: Contract) -> Iterator[tuple[str, str]]:
    """Yields (key path, template) of every text of a contract that may hold fields."""
    for setting in ("env", "labels"):
        for key, text in getattr(contract.expect, setting).items():
            yield f"expect.{setting}.{key}", text
    for at, test in enumerate(contract.tests):
        yield from ((f"tests.{at}.run", word) for word in test.run or ())
        yield from ((f"tests.{at}.output", test.output),) if test.output is not None else ()
        yield from ((f"tests.{at}.env.{key}", text) for key, text in test.around.env.items())

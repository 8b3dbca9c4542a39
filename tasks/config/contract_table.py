"""The tables of build.toml about what an image promises: what is to be seen in it, what it does when it is run.

They know the file's words and nothing of how a promise is checked.
"""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from .tables import Table, Text, Words

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _duration(value: Any) -> Any:
    """A time as Docker writes it, "1m30s", or a number of seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"(\d+(\.\d+)?(ms|s|m|h))+", value):
        return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", value))
    raise PydanticCustomError("duration", 'must be a time ("30s", "500ms", "1m30s")')


def _command(value: Any) -> Any:
    """A command line is split as a shell would; no shell is needed to run it."""
    try:
        return shlex.split(value) if isinstance(value, str) else value
    except ValueError as error:
        raise PydanticCustomError("command", f"is no command line ({error})".replace("{", "{{")) from None


def _switch(value: Any) -> Any:
    """`true` is short for a table that says nothing more."""
    return {"declared": value} if isinstance(value, bool) else value


def _frozen(value: Any) -> Any:
    """`unhealthy = true` freezes the main process; `false` is as if nothing was said."""
    if isinstance(value, bool):
        return [] if value else None
    return _command(value)


def _range(value: Any) -> Any:
    """A maximum, or [least, most]; each a number, or a text with a field that becomes one ("{v.size}")."""
    found = value if isinstance(value, list) else [0, value]
    if len(found) == 2 and all(map(_number, found)):
        sound = any(isinstance(one, str) for one in found) or found[0] <= found[1]
        if sound:
            return [one if isinstance(one, str) else float(one) for one in found]
    raise PydanticCustomError("range", "must be the most megabytes, or [least, most]")


def _number(value: Any) -> bool:
    if isinstance(value, str):
        return "{" in value
    return isinstance(value, (int, float)) and not isinstance(value, bool)


Duration = Annotated[float, BeforeValidator(_duration)]
Command = Annotated[list[str], BeforeValidator(_command)]
Range = Annotated[list[float | str], BeforeValidator(_range)]


class HealthcheckTable(Table):
    """What is expected of the health check that an image declares."""

    declared: bool = Field(True, description="false: the image has none")
    interval: Duration | None = Field(None, description='how often it runs: "30s"')


class FileTable(Table):
    """What is expected of one file or folder; `{}` expects that it is there."""

    mode: Text | None = Field(None, description='its permissions in octal: "0755"')
    owner: Text | None = Field(None, description='"user" or "user:group", by name or number')
    content: str | None = Field(None, description="a pattern (Python's `re`) that is found in it")
    static: bool | None = Field(None, description="true: a program that needs no library of the image")
    stripped: bool | None = Field(None, description="true: a program without a symbol table")


class ExpectTable(Table):
    """What an image must have, without running it: in its configuration and its files."""

    user: Text | None = Field(
        None,
        description='the user, by name or number ("app", 1000, "1000:1000"), or "non-root" for any but root',
    )
    ports: list[Text] | None = Field(None, description='all ports it exposes: 8080 or "53/udp"')
    env: dict[str, Text] = Field({}, description="variables it sets, with their values")
    volumes: Words | None = Field(None, description="all volumes it declares")
    entrypoint: Annotated[list[str] | None, BeforeValidator(_command)] = Field(
        None, description="its entrypoint, word by word"
    )
    labels: dict[str, Text] = Field({}, description="labels it has, with their values")
    healthcheck: Annotated[HealthcheckTable | None, BeforeValidator(_switch)] = Field(
        None, description="whether it declares a health check: true, false, or `{ interval }`"
    )
    files: dict[str, FileTable] = Field({}, description="files that are there, by their paths")
    commands: Words | None = Field(None, description="programs that are there, found by its PATH")
    absent: Words | None = Field(None, description="what must not be there: a path, or the name of a program")


class TestTable(Table):
    """One test that runs an image: a command that ends, or a service that is started and asked."""

    name: str = Field("", description="what the table calls it; what it does if left out")
    run: Command | None = Field(
        None,
        description="what stands after `docker run IMAGE`: text (split as a shell does, none is run) or a list. "
        "With `http`, `healthy` and the like it is what the service is started with",
    )
    entrypoint: str | None = Field(None, description="instead of the image's entrypoint")
    output: str | None = Field(None, description="text that is found in what it writes, or in an answer")
    regex: str | None = Field(None, description="the same, as a pattern (Python's `re`)")
    exit: int = Field(0, description="the exit code of `run`")
    http: str | None = Field(None, description="a path that is asked for until it answers as expected")
    port: Text = Field("", description="the port to ask; the one that the image exposes if left out")
    status: int = Field(200, description="the status of the answer")
    healthy: bool = Field(False, description="it becomes healthy")
    idle: float | None = Field(None, description="the most memory it takes with nothing to do, in MB")
    unhealthy: Annotated[list[str] | None, BeforeValidator(_frozen)] = Field(
        None,
        description="it becomes unhealthy without its service: true freezes its main process, a command is run in it",
    )
    stops: Duration | None = Field(
        None, description='it ends within this time once it is told to (SIGTERM): "10s"'
    )
    within: Duration = Field(60.0, description="the most time that each of these may take")
    env: dict[str, Text] = Field({}, description="variables for the run")
    mounts: Words = Field([], description="path:/path or path:/path:ro, relative to build.toml")
    groups: list[Text] = Field([], description="further groups of its user")
    memory: Text = Field("", description="the memory it is given (docker's `--memory`)")
    cpus: Text = Field("", description="the processors it is given (docker's `--cpus`)")
    socket: bool = Field(False, description="gives it the engine's socket, and the group that owns it")
    compose: str = Field("", description="a compose file that is brought up, asked (`http`), and taken down")
    service: str = Field("", description="with compose: the service that is asked")
    structure: str = Field("", description="a container-structure-test file, taken as it is")
    platforms: Words = Field([], description="only on these; all of the image's if left out")

"""What a command line chose, as one frozen value; and how a task says which flags it offers.

Every flag stands in one place, with its name, type, default and help: the shared ones in Choice, a task's own in a
subclass of it. It knows how Invoke reads signatures; it does not know what flags do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from inspect import Parameter, Signature
from io import TextIOWrapper
from typing import Any, TypeVar, get_type_hints

from invoke.context import Context
from invoke.tasks import Task

from .stopping import stoppable


def flag(default: Any, about: str, *, setting: str = "") -> Any:
    """Describes one flag: `about` is its help; `setting` the key path of build.toml that it is said for.

    A switch is False, a flag that may be given several times is (), one that must be given is MISSING.
    """
    return field(default=default, metadata={"help": about, "setting": setting})


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The flags that several tasks offer; one that a task does not offer has its default."""

    images: tuple[str, ...] = flag(
        (),
        "which images: names or globs, comma-separated; may be given several times (if left out, those of the default "
        "group; list, clean and load take all)",
    )
    group: tuple[str, ...] = flag((), "a group of build.toml; may be given several times")
    platforms: str = flag(
        "",
        "platforms for every image, comma-separated: linux/amd64,linux/arm64",
        setting="defaults.platforms",
    )
    registry: str = flag(
        "", "another registry (host or host/path) instead of project.registry", setting="project.registry"
    )
    owner: str = flag("", "another owner instead of project.owner", setting="project.owner")
    flavour: str = flag("", "another flavour of the fleet: [flavours.NAME] of build.toml", setting="flavour")
    tags: str = flag("", "other tags instead of tags.build, comma-separated", setting="tags.build")
    output: str = flag("auto", "load, push or none (build everything, keep only the cache)")
    since: str = flag(
        "", "only images whose inputs have changed since this commit or branch (its merge base with HEAD)"
    )
    no_deps: bool = flag(
        False,
        "build only what is named; what it stands on must be there already (for a builder of your own: in the "
        "registry)",
    )
    keep_going: bool = flag(False, "build the rest when an image fails; the table shows each verdict")
    rebuild: bool = flag(False, "build also what is there already, unchanged")
    pull: bool = flag(False, "look up the digests of outside bases again, and write them to build.lock")
    locked: bool = flag(False, "refuse to change build.lock (for CI)")
    overwrite: bool = flag(False, "also move names that a release made")
    json: bool = flag(False, "print the result as JSON (with a schema number) on stdout")
    yes: bool = flag(False, "do not ask")

    def whole(self) -> Choice:
        """Returns it with all images where it names none."""
        return self if self.images or self.group else replace(self, images=("*",))

    def settings(self) -> Iterator[tuple[str, str, str]]:
        """Yields (flag, key path, text) of what was said for settings of build.toml."""
        for one in fields(self):
            text = getattr(self, one.name)
            if one.metadata["setting"] and text:
                yield one.name, one.metadata["setting"], text


C = TypeVar("C", bound=Choice)
HELP = ("--help", "-h")


def command(*shared: str, name: str | None = None) -> Callable[[Callable[[C], None]], Task[Any]]:
    """Makes a task of a function of one Choice: it offers these shared flags, and all that its own kind adds.

    >>> @command("images", "json")
    ... def build(choice: Choice) -> None: ...
    """

    def decorate(function: Callable[[C], None]) -> Task[Any]:
        kind = next(iter(get_type_hints(function).values()))
        offered = _offered(kind, shared)

        @stoppable
        def body(_: Context, **given: Any) -> None:
            if any(given.get(one.name) in HELP for one in offered if one.default is MISSING):
                _teach(name or function.__name__)
            # Invoke keeps nothing compiled, for the sake of a lone tasks.py: here it is a hundred modules at every run.
            sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
            if isinstance(sys.stdout, TextIOWrapper):
                sys.stdout.reconfigure(errors="replace")  # "?" where a terminal has no sign for a tick
            function(kind(**{key: _frozen(value) for key, value in given.items()}))

        body.__name__, body.__doc__, body.__module__ = (
            function.__name__,
            function.__doc__,
            function.__module__,
        )
        body.__signature__ = Signature([_parameter("_"), *(_parameter(one.name, one) for one in offered)])  # type: ignore[attr-defined]
        return _Task(
            body,
            name=name,
            auto_shortflags=False,
            iterable=[one.name for one in offered if one.default == ()],
            help={one.name.replace("_", "-"): one.metadata["help"] for one in offered},
        )

    return decorate


class _Task(Task[Any]):
    def get_arguments(self, *args: Any, **more: Any) -> list[Any]:
        """Returns its arguments. A list without a value is none, or `push --images` would be the whole fleet."""
        found = super().get_arguments(*args, **more)
        for one in found:
            if one.kind is list:
                one.raw_value = None
        return found


def _teach(task: str) -> None:
    """Ends as Invoke's own help of a task: it takes `--help` for the value of what must be given (`release --help`)."""
    words = sys.orig_argv
    at = next((n for n, word in enumerate(words) if word.rpartition(".")[2] == task), 0)
    if at:
        os.execv(sys.executable, [sys.executable, *words[1:at], "--help", words[at]])  # noqa: S606 - no shell


def _offered(kind: type[Choice], shared: tuple[str, ...]) -> list[Field[Any]]:
    known = {one.name: one for one in fields(kind)}
    own = [] if kind is Choice else [key for key in known if key in kind.__annotations__]
    first = [key for key in own if known[key].default is MISSING]
    # Whatever can be sent elsewhere can also be another flavour.
    also = ["flavour"] if "registry" in shared else []
    return [known[key] for key in dict.fromkeys([*first, *shared, *also, *own])]


def _parameter(name: str, one: Field[Any] | None = None) -> Parameter:
    """Returns a parameter as Invoke reads it: a list has no default, what must be given none either."""
    if one is None or one.default is MISSING:
        return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD)
    default = None if one.default == () else one.default
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else () if value is None else value

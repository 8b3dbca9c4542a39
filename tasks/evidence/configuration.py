"""An image's configuration and history, as the builder wrote them; it knows neither layers' content nor engines.

https://github.com/opencontainers/image-spec/blob/main/config.md; the health check is Docker's own addition to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..planning.platforms import spelled

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Health:
    """A health check. Times are in seconds, 0 where the engine's default holds.

    `test` begins with `CMD`, `CMD-SHELL` or `NONE`, as Docker writes it.
    """

    test: tuple[str, ...]
    interval: float = 0.0
    timeout: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the history: what made it, and whether it made a layer."""

    created_by: str
    has_layer: bool


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a container of the image starts with, and how the image came about. `raw` is all of it."""

    platform: str
    user: str = ""
    ports: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    health: Health | None = None
    history: tuple[Step, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Configuration:
        """Reads the configuration's JSON; what is not there is empty. `ports` are "8080/tcp"."""
        config = raw.get("config") or {}
        return cls(
            platform=spelled(raw),
            user=str(config.get("User") or ""),
            ports=tuple(sorted(config.get("ExposedPorts") or ())),
            env=dict(pair.partition("=")[::2] for pair in config.get("Env") or ()),
            volumes=tuple(sorted(config.get("Volumes") or ())),
            entrypoint=tuple(config.get("Entrypoint") or ()),
            command=tuple(config.get("Cmd") or ()),
            labels=dict(config.get("Labels") or {}),
            health=_health(config.get("Healthcheck")),
            history=tuple(
                Step(str(one.get("created_by") or ""), not one.get("empty_layer"))
                for one in raw.get("history") or ()
            ),
            raw=raw,
        )


def _health(told: Mapping[str, Any] | None) -> Health | None:
    if not told or not told.get("Test"):
        return None
    interval, timeout = (float(told.get(key) or 0) / _SECOND for key in ("Interval", "Timeout"))
    return Health(tuple(told["Test"]), interval, timeout)

"""The proxies of the docker client's configuration: buildx gives them to every build as arguments.

A build sees them where a stage declares an ARG of that name. https://docs.docker.com/engine/cli/proxy/
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..homes import client_file
from .docker import SOCKET

_NAMES = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "noProxy": "NO_PROXY",
    "ftpProxy": "FTP_PROXY",
    "allProxy": "ALL_PROXY",
}


def arguments(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the arguments; none where there is no configuration, or one that docker itself cannot read."""
    try:
        text = client_file(environ).read_text(encoding="utf-8")
        hosts = json.loads(text).get("proxies") if '"proxies"' in text else None
        known = hosts.get(environ.get("DOCKER_HOST") or SOCKET, hosts.get("default")) if hosts else None
        given = {name: known[key] for key, name in _NAMES.items() if known.get(key)} if known else {}
    except (OSError, ValueError, AttributeError):
        return {}
    return {spelt: value for name, value in given.items() for spelt in (name, name.lower())}

"""A builder that is elsewhere, as the docker client tells of it; the engine builds all the same."""

from __future__ import annotations

import shutil

from tests.scenario import Fleet


def elsewhere(fleet: Fleet, offers: str, runs: str = "") -> dict[str, str]:
    """Returns an environment in which the builder in use `offers` these platforms.

    `runs` are those that the engine's own builder tells of; "" leaves it to say so itself.
    """
    docker = shutil.which("docker", path=fleet.env["PATH"])
    fleet.file(
        ".bin/docker",
        f"""\
        #!/bin/sh
        told() {{ printf 'Name: x\\nDriver: %s\\nNodes:\\nStatus: running\\nPlatforms: %s\\n' "$1" "$2"; exit 0; }}
        case "$*" in
            "buildx inspect") told docker-container "{offers}" ;;
            "buildx inspect default") [ -z "{runs}" ] || told docker "{runs}" ;;
        esac
        exec {docker} "$@"
        """,
        0o755,
    )
    return {"PATH": f"{fleet.root}/.bin:{fleet.env['PATH']}"}

"""What each base is: its usual name, its platforms, its Dockerfile and where its root file system comes from.

The settings (CMD, ENV, WORKDIR) are those of the images that Docker Hub serves under the same names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

RELEASE = "trixie"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOTH = ("linux/amd64", "linux/arm64")

ROOT = """\
FROM scratch
ARG TARGETARCH
ADD root-${TARGETARCH}.tar /
"""
# A name server that is busy for a moment must not end the making of a base.
APT = "apt-get -o Acquire::Retries=5"
INSTALL = f"{APT} update && {APT} install --yes --no-install-recommends"
CLEAN = "rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/ldconfig"

# What is the same on every platform, and what apt computes, is done on the machine's own platform: under emulation
# reading package lists takes 20 s and rebuilding the certificates 100 s.
PYTHON = f"""\
FROM debian:trixie-slim AS target
FROM --platform=$BUILDPLATFORM debian:trixie-slim AS certificates
RUN {INSTALL} ca-certificates
FROM --platform=$BUILDPLATFORM debian:trixie-slim AS packages
ARG TARGETARCH
RUN --mount=type=bind,from=target,source=/var/lib/dpkg,target=/target \\
    for setting in APT::Architecture=$TARGETARCH APT::Architectures=$TARGETARCH \\
        Dir::State::status=/target/status Dir::Cache::archives=/packages; \\
    do echo "${{setting%%=*}} \\"${{setting#*=}}\\";"; done > /etc/apt/apt.conf.d/target \\
 && mkdir -p /packages/partial && {INSTALL} --download-only netbase openssl tzdata python3
FROM target
ENV PATH=/usr/local/bin:{PATH} LANG=C.UTF-8
COPY --from=certificates /etc/ssl/certs /etc/ssl/certs
COPY --from=certificates /usr/share/ca-certificates /usr/share/ca-certificates
RUN --mount=type=bind,from=packages,source=/packages,target=/packages \\
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /packages/*.deb \\
 && for name in python python3 python3.13; do ln -s /usr/bin/python3.13 "/usr/local/bin/$name"; done \\
 && {CLEAN}
CMD ["python3"]
"""


@dataclass(frozen=True, slots=True)
class Base:
    """One outside base. `root` names the maker of its root file system; without one it stands on `stands_on`.

    `platforms` is empty where only the machine's own platform is needed.
    """

    name: str
    about: str
    dockerfile: str
    platforms: tuple[str, ...] = ()
    root: str = ""
    stands_on: str = ""

    @property
    def repository(self) -> str:
        """The repository in a registry that mirrors Docker Hub."""
        return f"library/{self.name.partition(':')[0]}"

    @property
    def tag(self) -> str:
        """The tag in that repository."""
        return self.name.partition(":")[2]

    @property
    def file_name(self) -> str:
        """The name as part of a file's name."""
        return self.name.replace(":", "-")


BASES = (
    Base(
        "busybox:stable",
        "busybox-static from scratch: the fastest base",
        ROOT + f'ENV PATH={PATH}\nCMD ["sh"]\n',
        platforms=BOTH,
        root="busybox-1",
    ),
    Base(
        "debian:trixie-slim",
        "Debian 13's essential packages and apt",
        ROOT + f'ENV PATH={PATH}\nCMD ["bash"]\n',
        platforms=BOTH,
        root="debian-3",
    ),
    Base(
        "golang:1.24-trixie",
        "Debian's Go 1.24 without a C compiler, for this machine's platform (Go compiles for the others)",
        f"""\
FROM debian:trixie-slim
ENV GOTOOLCHAIN=local GOPATH=/go
ENV PATH=/go/bin:/usr/local/go/bin:{PATH}
RUN {INSTALL} ca-certificates golang-go \\
 && ln -s /usr/lib/go-1.24 /usr/local/go \\
 && mkdir -p /go/src /go/bin && chmod -R 1777 /go \\
 && {CLEAN}
WORKDIR /go
CMD ["bash"]
""",
        stands_on="debian:trixie-slim",
    ),
    Base(
        "python:3.13-slim-trixie",
        "Debian's Python 3.13, as python and python3, without pip",
        PYTHON,
        platforms=BOTH,
        stands_on="debian:trixie-slim",
    ),
)


def named(name: str) -> Base:
    """Returns the base of this name; raises KeyError."""
    return {base.name: base for base in BASES}[name]


def digest(base: Base) -> str:
    """Returns a short digest of all that the recipe says, the bases beneath included: a changed recipe is made anew."""
    beneath = digest(named(base.stands_on)) if base.stands_on else ""
    return hashlib.sha256(repr((base, beneath)).encode()).hexdigest()[:10]


def with_foundations(names: list[str]) -> list[Base]:
    """Returns the bases of these names (all where there are none) and what they stand on, in the order of `BASES`."""
    wanted = {named(name) for name in names} or set(BASES)
    wanted |= {named(base.stands_on) for base in wanted if base.stands_on}
    return [base for base in BASES if base in wanted]

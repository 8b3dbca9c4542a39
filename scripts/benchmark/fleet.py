"""A fleet to build: a folder with a build.toml, a Dockerfile and one small file for each image.

Every image copies its own file and runs one command on it; a service copies three parts of its context, some forty
files, one after the other, and works on each. The first is a base of our own; every second one of the others stands on
it, the rest on busybox:stable. The same folder is built in every way.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

VERSION = "0.1.0"
TAGS = (VERSION, "latest")
OUTSIDE = "busybox:stable"

_OWN = "COPY content /content\nRUN cat /content > /made\n"
# What seldom changes comes first, as everywhere; an edit of the source does not install anything again.
_SERVICE = """\
WORKDIR /srv
ENV PORT=8080 MODE=production
COPY requirements.txt ./
RUN cat requirements.txt > installed
COPY static ./static
RUN find static -type f | sort > listed
COPY src ./src
RUN cat src/*.py > compiled
EXPOSE 8080
CMD ["httpd", "-f"]
"""
# How shell scripts name a sibling; Argosy finds it in here, the loop passes both arguments.
_ON_BASE = f"ARG REGISTRY\nARG OWNER\nFROM ${{REGISTRY}}/${{OWNER}}/base:{VERSION}\n"


@dataclass(frozen=True, slots=True)
class Fleet:
    """`count` images for `platforms` under `root`, named below `registry` (host:port)."""

    root: Path
    count: int
    platforms: tuple[str, ...]
    registry: str
    outside: str = OUTSIDE
    services: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Its images, the base first."""
        return ("base", *(f"app-{number:04}" for number in range(1, self.count)))

    def on_base(self, name: str) -> bool:
        """Tells whether an image stands on the fleet's own base."""
        return name != "base" and int(name.removeprefix("app-")) % 2 == 1

    def references(self, name: str, owner: str) -> list[str]:
        """All names an image gets below an owner."""
        return [f"{self.registry}/{owner}/{name}:{tag}" for tag in TAGS]

    def write(self) -> None:
        """Writes the folder, which must not be there yet."""
        self.root.mkdir(parents=True)
        lines = ["[project]", 'name = "fleet"', f'registry = "{self.registry}"', 'owner = "bench"']
        lines += [f'version = "{VERSION}"', "[defaults]", f"platforms = {list(self.platforms)}"]
        for name in self.names:
            lines.append(f"[images.{name}]")
            if self.on_base(name):
                lines.append('args = { REGISTRY = "{registry}", OWNER = "{owner}" }')
            folder = self.root / "docker" / name
            folder.mkdir(parents=True)
            text = _ON_BASE if self.on_base(name) else f"FROM {self.outside}\n"
            text += _SERVICE if self.services else _OWN
            folder.joinpath("Dockerfile").write_text(text, encoding="utf-8")
            if self.services:
                self._furnish(folder)
        self.root.joinpath("build.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.change("first")

    def change(self, mark: str) -> None:
        """Gives every image a file with this mark: nothing of what the image holds is cached then."""
        for name in self.names:
            self.change_one(name, mark)
            for seldom in ("requirements.txt", "static/mark") if self.services else ():
                self._put(name, seldom, mark)

    def change_one(self, name: str, mark: str) -> None:
        """Gives one image a file with this mark."""
        self._put(name, "src/main.py" if self.services else "content", mark)

    def _put(self, name: str, path: str, mark: str) -> None:
        self.root.joinpath("docker", name, path).write_text(f"{name} {mark}\n", encoding="utf-8")

    def _furnish(self, folder: Path) -> None:
        for number in range(20):
            for path in (f"static/page-{number}.html", f"src/module_{number}.py"):
                file = folder / path
                file.parent.mkdir(exist_ok=True)
                file.write_text(f"{folder.name} {path}\n" * 50, encoding="utf-8")

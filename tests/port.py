"""A registry with a small fleet, released, signed and promoted: what voyages.py tries faults on, and its judge.

What is judged is read from the registry by code that shares nothing with the release (see harbourmaster.py).
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import registries
from tests.harbourmaster import INDEX, JOURNAL, Direct, packed
from tests.scenario import Fleet

IMAGES = ("agent", "gateway")
REPOSITORIES = "data/docker/registry/v2/repositories"
SEALED = '[release]\nsign = "cosign.key"\nsbom = true\nprovenance = "min"\n'
State = dict[tuple[str, str], str]
"""(image, tag) -> digest of every name of a release, "" for absent, "?…" for an answer that is none."""


@dataclass(frozen=True)
class Voyage:
    """A kind of command; `before` is the folder of repositories that each fault gets a copy of.

    `way` is the flag of the command itself, where `words` alone are what went before it, without a fault; `about`
    says which names move.
    """

    title: str
    before: str
    words: str
    about: str = "three names each: two new, one that moves"
    way: str = ""

    def line(self, host: str, prefix: str) -> str:
        return self.words.format(host=host, prefix=prefix)


RELEASE = "release --tag v0.2.0 --registry {host} --owner {prefix}"
PROMOTION = Voyage("A promotion", "next-before", "promote v0.2.0 --to next")
SEALING = Voyage("A release with seals", "fleet-before", RELEASE)
RETURN = Voyage(
    "A way back", "fleet-before", RELEASE, "of three names each two stay and `latest` goes back", "--rollback"
)
VOYAGES = {"promotion": PROMOTION, "seals": SEALING, "return": RETURN}


@dataclass
class Port:
    """One registry with a fleet that was released as v0.1.0, and whose v0.2.0 is pushed, and released as well."""

    fleet: Fleet
    host: str
    folder: Path

    @property
    def direct(self) -> Direct:
        return Direct(self.host)

    def copy(self, before: str, after: str) -> None:
        """Copies a folder of repositories; the registry is a plain one, so this is quick."""
        shutil.copytree(self.folder / REPOSITORIES / before, self.folder / REPOSITORIES / after)

    def prepare(self) -> None:
        """Builds the fleet, once, and keeps how all stands before either voyage."""
        fleet = self.fleet
        fleet.env["COSIGN_PASSWORD"] = "weigh-0815"  # noqa: S105 - of a key made for this
        fleet.registry, fleet.owner = self.host, "fleet"
        fleet.root.mkdir(parents=True, exist_ok=True)
        fleet.run("cosign", "generate-key-pair").ok()
        fleet.file(".gitignore", "build.lock\ncosign.*\n")
        self.project(fleet, f"{self.host}/next")
        for tag in ("v0.1.0", "v0.2.0"):
            for name in IMAGES:
                fleet.image(name, f"FROM busybox:stable\nRUN echo {name} {tag} > /name\n")
            fleet.commit()
            if tag == "v0.2.0":
                fleet.inv("push --tags edge").ok()
                self.copy("fleet", SEALING.before)
                shutil.copytree(fleet.root, fleet.root.with_name("ready"))
            fleet.inv(f"release --tag {tag}").ok()
            if tag == "v0.1.0":
                fleet.inv(f"promote {tag} --to next").ok()
        self.copy("next", PROMOTION.before)

    def project(self, fleet: Fleet, to: str) -> None:
        images = "".join(f"[images.{name}]\n" for name in IMAGES)
        fleet.toml(f'{images}{SEALED}[promote.next]\nto = "{to}"\n')

    def tags(self, repository: str) -> list[str]:
        status, raw = self.direct.read(f"/v2/{repository}/tags/list")
        return sorted(json.loads(raw)["tags"] or ()) if status == 200 else []

    def body(self, repository: str, reference: str) -> dict[str, object]:
        status, raw = self.direct.read(f"/v2/{repository}/manifests/{reference}")
        found: dict[str, object] = json.loads(raw) if status == 200 else {}
        return found

    def names(self, prefix: str) -> State:
        """Every tag that stands at an index of a release, or at nothing that can be read."""
        found: State = {}
        for name in IMAGES:
            where = f"{prefix}/{name}"
            for tag in self.tags(where):
                digest = self.direct.stands_at(where, tag)
                body = self.body(where, tag)
                notes = body.get("annotations")
                released = isinstance(notes, dict) and "dev.argosy.release" in notes
                internal = tag.startswith(("argosy-", "sha256-"))
                if not internal and (digest.startswith("?") or (released and body["mediaType"] == INDEX)):
                    found[name, tag] = digest
        return found

    def record(self, prefix: str) -> dict[str, object]:
        """The record of v0.2.0, {} where there is none."""
        where = f"{prefix}/{IMAGES[0]}"
        layers = self.body(where, "argosy-release-v0.2.0").get("layers")
        if not isinstance(layers, list) or not layers:
            return {}
        _, raw = self.direct.read(f"/v2/{where}/blobs/{layers[0]['digest']}")
        found: dict[str, object] = json.loads(raw)
        return found

    def unsealed(self, prefix: str, state: State) -> Iterator[str]:
        """Yields every name whose index has no signature of its digest, or whose platforms have no SBOM."""
        for (name, tag), digest in state.items():
            where = f"{prefix}/{name}"
            if not digest.startswith("sha256:"):
                continue
            signed = self.body(where, f"{digest.replace(':', '-')}.sig").get("layers")
            payloads = [
                self.direct.read(f"/v2/{where}/blobs/{layer['digest']}")[1]
                for layer in (signed if isinstance(signed, list) else ())
            ]
            if not any(digest.encode() in payload for payload in payloads):
                yield f"{name}:{tag} stands at {digest}, which is not signed"
            entries = self.body(where, digest).get("manifests")
            for entry in entries if isinstance(entries, list) else ():
                if not self.direct.stands_at(where, entry["digest"]):
                    yield f"{name}:{tag}: {entry['digest']} is missing"
                elif entry["platform"]["os"] != "unknown":
                    listed = packed(self.body(where, entry["digest"].replace(":", "-")).get("manifests"))
                    if b"application/spdx+json" not in listed:
                        yield f"{name}:{tag}: {entry['digest']} has no SBOM"

    def journals(self, prefix: str, state: Path) -> dict[str, set[str] | None]:
        """The references in the journal on disk and in the registry; None where there is no journal."""
        found: dict[str, set[str] | None] = {"on disk": None, "in the registry": None}
        for file in state.rglob("journal.json"):
            found["on disk"] = references(file.read_bytes())
        where = f"{prefix}/{IMAGES[0]}"
        layers = self.body(where, JOURNAL).get("layers")
        if isinstance(layers, list) and layers:
            _, data = self.direct.read(f"/v2/{where}/blobs/{layers[0]['digest']}")
            found["in the registry"] = references(data)
        return found


def references(journal: bytes) -> set[str]:
    return {move["reference"].split("/")[-1] for move in json.loads(journal)["moves"]}


def differing(state: State, wanted: State) -> dict[str, str]:
    """What stands elsewhere than wanted, in words, by name."""
    keys = sorted({*state, *wanted})
    return {
        f"{name}:{tag}": f"stands at {state.get((name, tag)) or 'nothing'}, not at {wanted.get((name, tag))}"
        for name, tag in keys
        if state.get((name, tag), "") != wanted.get((name, tag), "")
    }


@contextlib.contextmanager
def port(env: Mapping[str, str], folder: Path) -> Iterator[Port]:
    """A registry that deletes, with the fleet in it."""
    with registries.registry(env, folder / "registry", delete=True) as running:
        own = dict(env) | {"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}
        own.pop("ARGOSY_REGISTRY", None)
        (folder / "project").mkdir(parents=True)
        made = Port(Fleet(folder / "project", own), running.host, running.folder)
        made.prepare()
        yield made

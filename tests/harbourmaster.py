"""The fleet that faults are tried on, put into real registries and judged there. Shares no code with the release.

Five images, two platforms, two registries: in every repository `v1.2.0` is new, `1.2` and `latest` move, and
`1.1.0` and `edge`, which stand at the same old digest, must not.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IMAGES = ("api", "worker", "agent", "indexer", "gateway")
PLATFORMS = ("amd64", "arm64")
NEW, ROLLING, BYSTANDERS = "v1.2.0", ("1.2", "latest"), ("1.1.0", "edge")
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
TEMPLATE = "template"
JOURNAL = "argosy-journal"
State = dict[tuple[str, str, str], str]
"""(registry, repository below the prefix, tag) -> digest, "" for absent, "?…" for an answer that is none."""


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def packed(body: object) -> bytes:
    return json.dumps(body, sort_keys=True).encode()


@dataclass
class Direct:
    """One registry, spoken to without any proxy."""

    host: str

    def read(self, path: str) -> tuple[int, bytes]:
        """Reads; asks again while the answer is 5xx.

        Distribution's file-system store does not replace its files in one step: whoever reads while the same
        manifest is written once more, by a request that came late for instance, is answered 500 for a moment.
        """
        status, raw = 500, b""
        for _ in range(4):
            status, raw, _ = self.ask("GET", path)
            if status < 500:
                break
            time.sleep(0.3)
        return status, raw

    def ask(
        self, method: str, path: str, body: bytes = b"", kind: str = ""
    ) -> tuple[int, bytes, Mapping[str, str]]:
        headers = {"Accept": f"{INDEX}, {MANIFEST}"} | ({"Content-Type": kind} if kind else {})
        with contextlib.closing(http.client.HTTPConnection(self.host, timeout=20)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.headers)

    def upload(self, repository: str, data: bytes) -> dict[str, Any]:
        """Uploads a blob and returns its digest and size."""
        status, _, headers = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202
        place = headers["Location"].split(self.host)[-1]
        status, said, _ = self.ask("PUT", f"{place}&digest={sha(data)}", data, "application/octet-stream")
        assert status == 201, said
        return {"digest": sha(data), "size": len(data)}

    def put(self, repository: str, reference: str, body: object, kind: str) -> dict[str, Any]:
        """Puts a manifest and returns its descriptor."""
        raw = packed(body)
        where = f"/v2/{repository}/manifests/{reference or sha(raw)}"
        status, said, _ = self.ask("PUT", where, raw, kind)
        assert status == 201, said
        return {"mediaType": kind, "digest": sha(raw), "size": len(raw)}

    def stands_at(self, repository: str, reference: str) -> str:
        """What a name or digest stands at: a digest, "" for absent or withdrawn, "?…" for anything else."""
        status, raw = self.read(f"/v2/{repository}/manifests/{reference}")
        if status == 404:
            return ""
        if status != 200:
            return f"?{status}"
        body = json.loads(raw)
        if body.get("mediaType") == INDEX and not body["manifests"]:
            return ""
        return sha(raw)


def image(direct: Direct, repository: str, note: str) -> list[dict[str, Any]]:
    """Puts the platforms' manifests of one image and returns their descriptors."""
    found = []
    for platform in PLATFORMS:
        config = {
            "mediaType": CONFIG,
            **direct.upload(repository, packed({"os": "linux", "architecture": platform})),
        }
        layer = {
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            **direct.upload(repository, note.encode()),
        }
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        entry = direct.put(repository, "", body, MANIFEST)
        found.append(entry | {"platform": {"os": "linux", "architecture": platform}})
    return found


@dataclass
class Harbour:
    """Two registries ("A", "B") with their folders; `children` are the new platforms' descriptors of each image."""

    hosts: dict[str, str]
    folders: dict[str, Path]
    children: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    olds: dict[str, str] = field(default_factory=dict)

    def direct(self) -> dict[str, Direct]:
        return {key: Direct(host) for key, host in self.hosts.items()}

    def template(self) -> None:
        """Puts the fleet as it stands before a release, once; each fault has a copy of it."""
        for direct in self.direct().values():
            for name in IMAGES:
                where = f"{TEMPLATE}/{name}"
                self.children[name] = image(direct, where, f"new {name}")
                old = {
                    "schemaVersion": 2,
                    "mediaType": INDEX,
                    "manifests": image(direct, where, f"old {name}"),
                }
                for tag in (*ROLLING, *BYSTANDERS):
                    self.olds[name] = direct.put(where, tag, old, INDEX)["digest"]

    def berth(self, prefix: str) -> None:
        """Copies the template's repositories to another prefix: blobs are shared, so this is quick."""
        for folder in self.folders.values():
            base = folder / "data/docker/registry/v2/repositories"
            shutil.copytree(base / TEMPLATE, base / prefix)

    def clear(self, prefix: str) -> None:
        for folder in self.folders.values():
            shutil.rmtree(folder / "data/docker/registry/v2/repositories" / prefix, ignore_errors=True)

    def before(self) -> State:
        """How every name stands before."""
        state: State = {}
        for key in self.hosts:
            for name in IMAGES:
                state |= {(key, name, tag): self.olds[name] for tag in (*ROLLING, *BYSTANDERS)}
                state[key, name, NEW] = ""
        return state

    def now(self, prefix: str) -> State:
        """How every name stands now."""
        direct = self.direct()
        return {
            (key, name, tag): direct[key].stands_at(f"{prefix}/{name}", tag)
            for key, name, tag in self.before()
        }

    def wrong_as_released(self, prefix: str, state: State) -> Iterator[str]:
        """Yields what is wrong with a release that says it is done."""
        direct = self.direct()
        for (key, name, tag), digest in state.items():
            if tag in BYSTANDERS:
                if digest != self.olds[name]:
                    yield f"bystander {key} {name}:{tag} stands at {digest or 'nothing'}"
                continue
            status, raw = direct[key].read(f"/v2/{prefix}/{name}/manifests/{tag}")
            body = json.loads(raw) if status == 200 else {}
            if status != 200 or [e["digest"] for e in body["manifests"]] != [
                e["digest"] for e in self.children[name]
            ]:
                yield f"{key} {name}:{tag} is not what was tested ({status})"
            elif body["annotations"].get("dev.argosy.release") != NEW:
                yield f"{key} {name}:{tag} is of another release"
            for entry in body.get("manifests", ()):
                if not direct[key].stands_at(f"{prefix}/{name}", entry["digest"]):
                    yield f"{key} {name}@{entry['digest']} is missing"
        status, _, _ = direct["A"].ask("GET", f"/v2/{prefix}/{IMAGES[0]}/manifests/argosy-release-{NEW}")
        if status != 200:
            yield "there is no record"

    def wrong_as_before(self, state: State) -> Iterator[str]:
        """Yields what is wrong with a release that says nothing has changed."""
        for where, digest in self.before().items():
            if state[where] != digest:
                yield f"{' '.join(where)} stands at {state[where] or 'nothing'}, before at {digest or 'nothing'}"

    def wrong_half_way(self, state: State, journals: Mapping[str, set[str] | None]) -> Iterator[str]:
        """Yields every name that differs and is in no journal: on disk (if that is there), and in the registry."""
        differs = {where for where, digest in self.before().items() if state[where] != digest}
        for where in differs:
            if where[2] in BYSTANDERS:
                yield f"bystander {' '.join(where)} stands at {state[where] or 'nothing'}"
        for kept, named in journals.items():
            for where in differs:
                if named is None or f"{where[1]}:{where[2]}" not in {one.split("/")[-1] for one in named}:
                    yield f"{' '.join(where)} stands at {state[where] or 'nothing'} and is not in the journal {kept}"

    def recorded(self, prefix: str) -> bool:
        return bool(self.direct()["A"].stands_at(f"{prefix}/{IMAGES[0]}", f"argosy-release-{NEW}"))

    def journals(self, prefix: str, file: Path) -> dict[str, set[str] | None]:
        """The references in the journal on disk and in the registry; None where there is no journal."""
        direct, where = self.direct()["A"], f"{prefix}/{IMAGES[0]}"
        found: dict[str, set[str] | None] = {"on disk": None, "in the registry": None}
        if file.exists():
            found["on disk"] = {move["reference"] for move in json.loads(file.read_bytes())["moves"]}
        status, raw, _ = direct.ask("GET", f"/v2/{where}/manifests/{JOURNAL}")
        layers = json.loads(raw).get("layers") if status == 200 else None
        if layers:
            _, data, _ = direct.ask("GET", f"/v2/{where}/blobs/{layers[0]['digest']}")
            found["in the registry"] = {move["reference"] for move in json.loads(data)["moves"]}
        return found

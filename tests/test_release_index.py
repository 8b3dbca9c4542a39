"""The index that a release names: the same release always has the same bytes."""

from __future__ import annotations

import json
import random

from tasks.registries.registry import INDEX, released
from tasks.release.content import Child
from tasks.release.index import index, is_free, mark, withdrawn
from tasks.release.order import Source, annotated

SOURCE = Source("c0ffee", "2026-01-02T03:04:05Z", "https://example.com/acme/fleet")
CHILDREN = [
    Child(f"sha256:{number:064x}", "application/vnd.oci.image.manifest.v1+json", 500 + number, platform)
    for number, platform in enumerate(["linux/amd64", "linux/arm64", "linux/arm/v7"])
]


def test_the_order_in_which_platforms_come_does_not_change_a_byte() -> None:
    made = set()
    for seed in range(6):
        mixed = list(CHILDREN)
        random.Random(seed).shuffle(mixed)  # noqa: S311
        made.add(index(mixed, annotated("api", "v1.0.0", SOURCE, {})).raw)
    assert len(made) == 1


def test_it_says_which_release_of_which_commit_it_is() -> None:
    labels = {
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.version": "wrong",
        "other": "x",
    }
    made = index(CHILDREN, annotated("api", "v1.0.0", SOURCE, labels))
    said = json.loads(made.raw)
    assert made.media_type == said["mediaType"] == INDEX
    assert released(made) == "v1.0.0"
    assert {key.rpartition(".")[2]: text for key, text in said["annotations"].items()} == {
        "title": "api",
        "version": "1.0.0",
        "revision": "c0ffee",
        "created": "2026-01-02T03:04:05Z",
        "source": "https://example.com/acme/fleet",
        "url": "https://example.com/acme/fleet",
        "licenses": "MIT",
        "release": "v1.0.0",
    }
    assert [entry["digest"] for entry in said["manifests"]] == [
        child.digest for child in sorted(CHILDREN, key=lambda child: child.platform)
    ]
    assert said["manifests"][1]["platform"] == {"os": "linux", "architecture": "arm", "variant": "v7"}


def test_what_describes_a_platform_is_kept_as_it_was() -> None:
    entry = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": "sha256:" + "1" * 64,
        "size": 5,
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    }
    assert Child.of(entry).descriptor() == entry
    assert Child.of(entry).platform == ""


def test_a_withdrawn_name_counts_as_free_and_no_two_have_the_same() -> None:
    one, other = withdrawn("1 a:b"), withdrawn("1 a:c")
    assert one.digest != other.digest
    assert is_free(one)
    assert is_free(None)
    assert mark(one) == "1 a:b"
    assert not is_free(index(CHILDREN, {}))
    assert not is_free(index([], {}))

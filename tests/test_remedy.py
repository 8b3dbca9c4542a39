"""Errors that everybody meets get one sentence that says what to do; others get none. The texts are BuildKit's."""

from __future__ import annotations

import pytest

from tasks.buildkit.remedy import remedy

SOLVE = "failed to solve: {0}: failed to resolve source metadata for {0}: "


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (
            SOLVE.format("ghcr.io/a/b:1") + "ghcr.io/a/b:1: not found",
            ["base image ghcr.io/a/b:1 is not", "login ghcr.io`"],
        ),
        (
            SOLVE.format("docker.io/library/nope:1")
            + "pull access denied, repository does not exist or may require "
            "authorization: server message: insufficient_scope: authorization failed",
            ["docker.io/library/nope:1 is not there", "`docker login`"],
        ),
        (
            SOLVE.format("r.example/x/y:1")
            + 'failed to do request: Head "https://r.example/v2/x/y/manifests/1": '
            "dial tcp: lookup r.example on 10.0.0.53:53: no such host",
            ["r.example does not answer"],
        ),
        (
            SOLVE.format("docker.io/library/a:1")
            + 'failed to do request: Head "https://registry-1.docker.io/v2/": '
            "dial tcp: lookup registry-1.docker.io: no such host",
            ["registry-1.docker.io does not answer"],
        ),
        (
            SOLVE.format("localhost:5000/x/y:1")
            + "failed to authorize: failed to fetch anonymous token: unexpected "
            "status from GET request to https://auth.example/token?scope=x: 401 Unauthorized",
            ["The registry localhost:5000 does not let you", "`docker login localhost:5000`"],
        ),
        (
            (
                'failed to push localhost:5000/x/y:1: failed to do request: Head "https://localhost:5000/v2/": '
                "tls: first record does not look like a TLS handshake"
            ),
            ["does not trust localhost:5000", "insecure-registries"],
        ),
        ("write /x: no space left on device", ["disk", "docker buildx prune"]),
        (
            'failed to calculate checksum of ref a::b: "/src/x.c": not found',
            ["src/x.c is not in the build context"],
        ),
        (
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
            ["private repository", "--mount=type=secret"],
        ),
        (
            (
                "failed to calculate checksum of ref x::y: failed to walk "
                "/var/lib/docker/tmp/buildkit-mount272/src: lstat /var/lib/docker/tmp/buildkit-mount272/src: "
                "no such file or directory"
            ),
            ["src is not in the build context"],
        ),
        (
            (
                "failed to commit vfbu4 to 2wfot during finalize: failed to stat active key during commit: "
                "snapshot vfbu4 does not exist: not found"
            ),
            ["`docker buildx prune`"],
        ),
        ("failed to solve: DeadlineExceeded: context deadline exceeded", ["`parallel`"]),
    ],
)
def test_a_well_known_error_has_a_remedy(error, parts):
    sentence = remedy(error)
    assert all(part in sentence for part in parts), sentence


def test_the_context_of_a_missing_file_is_named():
    assert 'the build context "services/api"' in remedy(
        'failed to compute cache key: "/x": not found', "services/api"
    )


@pytest.mark.parametrize("error", ["", "exit code: 1", "sh: make: not found", "main.c: undefined reference"])
def test_what_is_not_well_known_gets_no_guess(error):
    assert remedy(error) == ""

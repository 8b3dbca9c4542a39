"""What a build context holds that it should not: files that look like keys, and all that no ignore file keeps out.

It looks at names, and into files only where a name alone does not tell. What an ignore file leaves out is not in
the context, and so not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import several
from ..planning.content import Entry
from ..planning.ignore import ignore_files
from . import credentials
from .finding import Finding

KEY = "key-file"
OPEN = "ignore-file"
MANY = 2000
"""Files from which on a context without an ignore file is said to be large."""
_HEAD = 65_536
_SHOWN = 5

# Names that are a key's or a login's whatever is in the file …
_CERTAIN = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|\.?api[_-]?keys?(?:\.txt)?|\.netrc|_netrc|\.git-credentials|\.dockercfg|\.htpasswd"
    r"|.*\.(?:p12|pfx|jks|keystore|kdbx|ppk|ovpn)|\.pgpass|kubeconfig|\.vault-token|\.s3cfg",
    re.IGNORECASE,
)
# … and names of files that hold one or do not.
_PERHAPS = re.compile(
    r".*\.(?:pem|key)|\.env(?:\..+)?|.+\.env|\.npmrc|\.pypirc|\.yarnrc(?:\.yml)?|credentials(?:\..+)?|auth\.json"
    r"|config\.json|service[_-]?account.*\.json|secrets?(?:\..+)?|.*[_-]secrets?(?:\.\w+)?|.*\.tfvars|\.bash_history",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r".*\.(?:example|sample|template|dist|pub|md|rst|py|go|rs|js|ts|c|h|java|html|crt)", re.IGNORECASE
)
_LOGIN = re.compile(
    r"_authToken\s*=|_password\s*=|\"auth\"\s*:\s*\"[A-Za-z0-9+/=]{8,}|aws_secret_access_key\s*=",
    re.IGNORECASE,
)
# One line each: what looks past the end of a line does so from every empty one.
_PAIR = re.compile(
    r"^[ \t]*(?:export[ \t]+)?[\"']?([A-Za-z_][\w.-]*)[\"']?[ \t]*[:=][ \t]*(.*?)[ \t]*,?[ \t\r]*$",
    re.MULTILINE,
)


def keys(root: Path, context: str, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Yields one finding that lists the files of a context that look like keys."""
    found = [entry.path for entry in entries if entry.kind == "file" and _is_key(root / context / entry.path)]
    if found:
        what = "look like keys or logins" if len(found) > 1 else "looks like a key or a login"
        yield Finding(
            KEY,
            f"{several(sorted(found), _SHOWN)} {what}, and a COPY can take it into an image. "
            f"Name it in {ignore_files(context)[-1]}, and mount what a build really needs as a secret",
            where=f"{context or '.'}/{min(found)}".removeprefix("./"),
        )


def unguarded(
    root: Path, context: str, dockerfile: str | None, entries: Iterable[Entry], *, whole: bool
) -> Iterator[Finding]:
    """Yields a finding for a context without an ignore file, where one would keep something out.

    `whole` says that an instruction takes all of it.
    """
    names = ignore_files(context, dockerfile)
    if any((root / name).is_file() for name in names):
        return
    files = [entry.path for entry in entries if entry.kind != "dir"]
    about = []
    if any(path.startswith(".git/") for path in files):
        about.append(".git is in it")
    if whole:
        about.append("an instruction takes all of it")
    if len(files) > MANY:
        about.append(f"it has {len(files)} files")
    if about:
        yield Finding(
            OPEN,
            f"this context has no ignore file: {', '.join(about)}. Write {names[-1]}; it may begin with .git",
            where=context or ".",
        )


def reported(
    root: Path, context: str, dockerfile: str | None, entries: Iterable[Entry], folder: str
) -> Iterator[Finding]:
    """Yields a finding for reports of scans (`folder`) in a context of which an instruction takes all."""
    place, whole = (root / folder).resolve(), (root / context).resolve()
    if place == whole or not place.is_relative_to(whole):
        return
    inside = place.relative_to(whole).as_posix()
    if any(entry.kind != "dir" and entry.path.startswith(f"{inside}/") for entry in entries):
        names = ignore_files(context, dockerfile)
        name = next((name for name in names if (root / name).is_file()), names[-1])
        yield Finding(
            OPEN,
            f"reports of `inv scan` ({inside}) are in this context, and an instruction takes all of it: each scan "
            f"makes another image of it. Name {inside} in {name}",
            where=context or ".",
        )


def _is_key(path: Path) -> bool:
    name = path.name
    if _HARMLESS.fullmatch(name):
        return False
    if _CERTAIN.fullmatch(name):
        return True
    return bool(_PERHAPS.fullmatch(name)) and _holds_key(path)


def _holds_key(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            text = file.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return False
    if credentials.formed(text) or _LOGIN.search(text):
        return True
    return any(credentials.looks(name, value.strip("\"'")) for name, value in _PAIR.findall(text))

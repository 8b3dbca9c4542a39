"""What looks like a credential: by the name it has, or by a form that only credentials have.

Texts in, findings out; a value is never part of what is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..evidence.configuration import Configuration
from .finding import Finding

RULE = "credential"

_NAME = re.compile(
    r"(?:^|_)(?:PASS(?:WORD|WD|PHRASE)?|SECRET|TOKEN|CREDENTIALS?|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|AUTH_?KEY|APIKEY)S?"
    r"(?:_|$)",
    re.IGNORECASE,
)
# What only says where a credential is, or how it is used.
_ABOUT = re.compile(
    r"_(?:FILE|PATH|DIR|URL|URI|HOST|NAME|ID|TTL|TYPE|EXPIRY|LENGTH|ENABLED|REQUIRED|USER|HEADER)$",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"\s*|true|false|yes|no|none|null|on|off|\d{1,6}|/[\w./-]*|\$\{?\w+\}?", re.IGNORECASE)
# Forms that only credentials have, each documented by who gives them out.
_FORMS = {
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{50,})"),
    "a GitLab token": re.compile(r"\bgl(?:pat|dt|ft|rt)-[\w-]{20,}"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a Google API key": re.compile(r"\bAIza[\w-]{35}"),
    "a Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "an API key": re.compile(r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}"),
    "an npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "a PyPI token": re.compile(r"\bpypi-[\w-]{50,}"),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{10,500}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY"),
    "a login in a URL": re.compile(r"\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@$]+:[^\s/@$]{3,}@", re.IGNORECASE),
}
# Arguments as BuildKit writes them before a RUN line: `|2 NAME=value OTHER=value /bin/sh -c …`.
_ARGUMENTS = re.compile(r"^(?:RUN )?\|(\d+) (.*)", re.DOTALL)
_REMEDY = "mount it as a secret instead: RUN --mount=type=secret,id=…"


def is_named(name: str) -> bool:
    """Tells whether a variable's name is one that credentials have."""
    return bool(_NAME.search(name)) and not _ABOUT.search(name)


def looks(name: str, value: str) -> str:
    """Returns in words why a variable looks like a credential; "" if it does not."""
    if form := formed(value):
        return f"its value has the form of {form}"
    if is_named(name) and not _HARMLESS.fullmatch(value):
        return "its name says so"
    return ""


def formed(text: str) -> str:
    """Returns which credential a text has the form of, or holds; "" for none."""
    return next((form for form, pattern in _FORMS.items() if pattern.search(text)), "")


def check(configuration: Configuration) -> list[Finding]:
    """Returns findings for the environment, the labels, the command and every line of the history."""
    found: dict[tuple[str, str], Finding] = {}
    for kind, pairs in (("ENV", configuration.env), ("LABEL", configuration.labels)):
        for name, value in pairs.items():
            if why := looks(name, value):
                _add(found, kind, name, why, "every container and everyone who pulls the image sees it")
    for kind, words in (("ENTRYPOINT", configuration.entrypoint), ("CMD", configuration.command)):
        if form := formed(" ".join(words)):
            _add(found, kind, "", f"it holds {form}", "it is written in the configuration")
    for step in configuration.history:
        for name, value in arguments(step.created_by):
            if why := looks(name, value):
                _add(found, "ARG", name, why, "it is written in the history")
        if (form := formed(step.created_by)) and not any(form in one.detail for one in found.values()):
            keyword = step.created_by.split(" ", 1)[0]
            _add(found, keyword, "", f"it holds {form}", "it is written in the history")
    return list(found.values())


def arguments(created_by: str) -> Iterator[tuple[str, str]]:
    """Yields the build arguments that a line of the history shows, with their values.

    BuildKit separates them by spaces and quotes nothing: a value with spaces is cut at the first.
    """
    match = _ARGUMENTS.match(created_by)
    for word in match[2].split(" ")[: int(match[1])] if match else ():
        name, equals, value = word.partition("=")
        if equals:
            yield name, value
    keyword, _, rest = created_by.partition(" ")
    if keyword == "ARG":
        name, _, value = rest.partition("=")
        yield name, value


def _add(found: dict[tuple[str, str], Finding], kind: str, name: str, why: str, seen: str) -> None:
    what = f"{kind} {name}".strip()
    detail = f"looks like a credential: {why}, and {seen}; {_REMEDY}"
    found.setdefault((kind, name), Finding(RULE, detail, where=what, error=True))


def said(arguments_: Mapping[str, str], where: str) -> list[Finding]:
    """Returns findings for build arguments before anything is built; `where` is the table that has them."""
    return [
        Finding(RULE, f"looks like a credential: {why}; {_REMEDY}", where=f"{where}.{name}")
        for name, value in arguments_.items()
        if (why := looks(name, value))
    ]

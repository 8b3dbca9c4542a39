"""What a registry's refusal or silence means, in words a person can act on.

Pure: an answer or an exception in, a RegistryError out. No secret enters a message: urllib3's own words, which may
hold a proxy's password or a token service's address, are never passed on; only the registry's error body is.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping

from ..errors import RegistryError
from . import credentials
from .request import Answer

_GHCR_SCOPES = {"pull": "read:packages", "push": "write:packages", "delete": "delete:packages"}


class PassingError(RegistryError):
    """A failure that may be over in a moment; `after` is how many seconds the registry asks to wait."""

    def __init__(self, message: str, status: int | None = None, after: float = 0.0) -> None:
        super().__init__(message, status)
        self.after = after


def refused(
    host: str,
    answer: Answer,
    repository: str,
    actions: tuple[str, ...],
    login: credentials.Login | None,
    env: Mapping[str, str],
    secrets: Collection[str] = (),
) -> RegistryError:
    """Returns the error for an answer that is a refusal: by status, with the registry's own words.

    A registry may repeat what it was sent: `secrets` are struck out of its words.
    """
    status = answer.status
    action = actions[-1] if actions else "pull"
    doing = {"pull": "reading", "push": "pushing to", "delete": "deleting from"}[action]
    doing = f"{doing} {repository}" if repository else "being asked at all"
    said = f" ({words})" if (words := _words(answer, secrets)) else ""
    if status in {401, 403}:
        verb = "wants a login for" if status == 401 and login is None else "refuses"
        return RegistryError(
            f"{host} {verb} {doing}: {status}{said}. {_remedy(host, action, login, env)}", status
        )
    if status in {408, 429} or status >= 500:
        after = _seconds(answer.headers.get("Retry-After", ""))
        wait = f"It asks to wait {after:.0f} s. " if after else ""
        why = "It limits how many requests it takes." if status == 429 else "The trouble is on its side."
        return PassingError(
            f"{host} answers {status} to {doing}{said}. {why} {wait}Try again later.", status, after
        )
    remedy = ""
    if status == 404 and action != "pull":
        remedy = " It does not know the repository: create it there first, or check its name and owner."
    elif status in {200, 404}:
        remedy = " That is not how a registry speaks: check the address, and for a proxy in between."
    elif status == 405 and action == "delete":
        remedy = " Deletion is switched off there."
    elif status == 405:
        remedy = " It is read-only at present: ask its operator, or push to another registry."
    return RegistryError(f"{host} answers {status} to {doing}{said}.{remedy}", status)


def unreachable(host: str, address: str, error: Exception) -> RegistryError:
    """Returns the error for a request that got no answer; PassingError where another attempt may get one."""
    import socket
    import ssl

    where = f"{host} does not answer at {address}"
    chain = list(_chain(error))
    text = " ".join(str(link) for link in chain)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reasons = (link.verify_message for link in chain if isinstance(link, ssl.SSLCertVerificationError))
        return RegistryError(
            f"{where}: its certificate is not trusted ({next(reasons, 'verification failed')}). "
            f"Put its authority into /etc/docker/certs.d/{address.partition('//')[2]}/ca.crt, "
            "where Docker looks too, or name it in SSL_CERT_FILE."
        )
    if "WRONG_VERSION_NUMBER" in text:
        return RegistryError(
            f"{where}: it speaks plain HTTP, which is for loopback addresses only. Give it TLS."
        )
    names = [link for link in chain if isinstance(link, socket.gaierror)]
    if isinstance(error, ValueError) or any(link.errno != socket.EAI_AGAIN for link in names):
        return RegistryError(
            f"{where}: no name server here knows that host. Check its name, and the network."
        )
    if any("proxy" in type(link).__name__.lower() for link in chain):
        reason = "the proxy named by HTTPS_PROXY or HTTP_PROXY fails"
    elif any("timeout" in type(link).__name__.lower() for link in chain):
        reason = "nothing came in time"
    else:
        spoken = (link.strerror for link in chain if isinstance(link, OSError) and link.strerror)
        reason = next(spoken, "the connection was cut").lower()
    return PassingError(
        f"{where}: {reason}. Check that the registry runs, its address, and the way there "
        "(network, VPN, HTTPS_PROXY and NO_PROXY)."
    )


def is_spoken(answer: Answer) -> bool:
    """Tells whether an error answer has the distribution specification's body: the registry's own, not a proxy's."""
    return bool(_words(answer))


def _remedy(host: str, action: str, login: credentials.Login | None, env: Mapping[str, str]) -> str:
    line = credentials.login_line(host)
    scope = f" Its token needs the scope {_GHCR_SCOPES[action]}." if host == "ghcr.io" else ""
    if login:
        who = f"{login.username or 'an identity token'}, from {login.source}"
        return f"The login used is {who}.{scope} Check what it may do, or log in with another: {line}"
    looked = ", ".join(str(place) for place in credentials.places(env))
    return f"No login for it is kept in {looked}.{scope} Log in: {line}"


def _words(answer: Answer, secrets: Collection[str] = ()) -> str:
    try:
        parts = [
            [error.get("code"), error.get("message"), error.get("detail")]
            for error in answer.json()["errors"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    text = "; ".join(": ".join(str(word) for word in words if word) for words in parts)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text[:300]


def _seconds(text: str) -> float:
    """Retry-After in seconds from now; it may be a number or a date (RFC 9110 section 10.2.3)."""
    from email.utils import parsedate_to_datetime

    if text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0


def _chain(error: object) -> Iterator[BaseException]:
    """An error and all beneath it: causes, contexts, and those that urllib3 keeps as reasons and arguments."""
    seen: set[int] = set()
    below = [error]
    while below:
        link = below.pop()
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            below += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]

"""How a registry is spoken to: requests with logins and tokens, second attempts.

Knows the registry protocol's authentication (https://distribution.github.io/distribution/spec/auth/token/) and how
requests fail; it does not know what a manifest or a tag is. oras reads challenges and asks for tokens. Its own
`do_request` is not used: it has no time limits, keeps one token for all repositories even when that has expired,
and sleeps for two minutes over a refusal.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ..errors import RegistryError
from ..model import HUB
from . import credentials, trust
from .connection import Connections
from .refusals import PassingError, refused, unreachable
from .request import Access, Answer, Request

if TYPE_CHECKING:
    import tenacity


class Transport:
    """Speaks to one registry, from any number of threads at once.

    Network errors, 408, 429 and 5xx are tried `tries` times within `patience` seconds, waiting as long as the
    registry asks for; a 401 fetches one new token; nothing else is tried again.
    """

    def __init__(
        self,
        host: str,
        env: Mapping[str, str] | None,
        *,
        tries: int = 3,
        patience: float = 15.0,
    ) -> None:
        self.host = host
        self.address = "registry-1.docker.io" if host in {HUB, "index.docker.io"} else host
        self._env = os.environ if env is None else env
        self._tries, self._patience = tries, patience
        self._scheme = "http" if trust.is_loopback(host) else "https"
        self._connections = Connections(self.address, self._env)
        self._challenge = ""
        self._login: credentials.Login | None = None
        self._login_sought = False
        self._held: dict[Access, str] = {}
        self._secrets: set[str] = set()
        self._lock = threading.Lock()
        self._locks: dict[Access, threading.Lock] = {}

    def send(self, request: Request, *, tries: int | None = None) -> Answer:
        """Returns the answer to a request. Raises RegistryError for a refusal, and where no answer comes."""
        began = time.monotonic()
        try:
            return self._once(request)
        except PassingError as error:
            return self._again(
                request, error, tries or self._tries, self._patience - time.monotonic() + began
            )

    def _again(self, request: Request, first: PassingError, tries: int, seconds: float) -> Answer:
        """Tries again, for so many seconds; the `first` time was one of the `tries`."""
        import tenacity  # seldom needed, and not for nothing to have

        failed = [first]

        def attempt() -> Answer:
            if failed:
                raise failed.pop()
            return self._once(request)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(getattr(error, "after", 0.0), 0.2 * 2.0 ** (state.attempt_number - 1))

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda e: isinstance(e, PassingError) and e.after <= self._patience
            ),
            wait=tenacity.wait_combine(wait, tenacity.wait_random(0, 0.1)),
            stop=tenacity.stop_after_attempt(tries) | tenacity.stop_after_delay(seconds),
            reraise=True,
        )(attempt)

    def refusal(self, answer: Answer, access: Access) -> RegistryError:
        """Returns the error that says what the registry answered, and what to do, without any secret."""
        secrets = tuple(self._secrets)
        return refused(self.host, answer, access.repository, access.actions, self._login, self._env, secrets)

    def _once(self, request: Request) -> Answer:
        access = request.access
        with self._guard(access):
            held = self._authorization(access)
        answer = self._tell(request, held)
        if answer.status == 400 and self._scheme == "http" and self._wants_tls(request, answer):
            # A loopback registry that speaks TLS after all: Docker tries both as well.
            self._scheme = "https"
            answer = self._tell(request, held)
        # Another host that the registry sends us to may ask for a login, but not for this registry's.
        if answer.status == 401 and access.repository and not answer.elsewhere:
            challenge = answer.headers.get("WWW-Authenticate", "")
            with self._guard(access):
                if self._held.get(access, "") == held:  # else another thread has fetched a new one meanwhile
                    self._held.pop(access, None)
                fresh = self._authorization(access, challenge)
            if fresh != held:
                answer = self._tell(request, fresh)
        if answer.status in request.expect:
            return answer
        raise self.refusal(answer, access)

    def _wants_tls(self, request: Request, answer: Answer) -> bool:
        """Whether an answer says that HTTP was spoken to a TLS port; that to a HEAD has no text to say it in."""
        if request.method == "HEAD":
            answer = self._ask("GET", f"{self._scheme}://{self.address}/v2/")
        return b"HTTPS" in answer.body[:200]

    def _tell(self, request: Request, authorization: str) -> Answer:
        headers = {**request.headers, **({"Authorization": authorization} if authorization else {})}
        url = f"{self._scheme}://{self.address}{request.path}"
        how: dict[str, Any] = {"headers": headers, "body": request.data, "into": request.into}
        return self._ask(request.method, url, seconds=request.seconds, **how)

    def _ask(self, method: str, url: str, **how: Any) -> Answer:
        import urllib3

        try:
            return self._connections.ask(method, url, **how)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise unreachable(self.host, "/".join(url.split("/")[:3]), error) from error

    def _guard(self, access: Access) -> threading.Lock:
        """One lock for each access, so that many threads fetch one token, and different tokens at once."""
        return self._locks.setdefault(access, threading.Lock())

    def _authorization(self, access: Access, challenge: str = "") -> str:
        """Returns the header that answers `challenge`, or the last one the registry made; "" before there is one."""
        if challenge:
            self._challenge = challenge
        known = challenge or self._challenge
        if not known or not access.repository or access in self._held:
            return self._held.get(access, "")
        login = self._sought_login()
        start = known.lower().find("bearer ")
        if start >= 0:
            token = self._token(known[start:], access, login, own=bool(challenge))
            header = f"Bearer {token}" if token else ""
        else:
            from oras.auth.utils import get_basic_auth

            header = f"Basic {get_basic_auth(login.username, login.secret)}" if login else ""
        if header:
            self._held[access] = header
            self._secrets.add(header.partition(" ")[2])
        return header

    def _sought_login(self) -> credentials.Login | None:
        with self._lock:  # a helper is asked once, not by every thread
            if not self._login_sought:
                self._login = credentials.find(self.host, self._env)
                self._login_sought = True
                self._secrets |= {self._login.secret} if self._login else set()
            return self._login

    def _token(self, text: str, access: Access, login: credentials.Login | None, *, own: bool) -> str:
        from oras.auth import get_auth_backend
        from oras.auth.utils import parse_auth_header

        challenge = parse_auth_header(text)
        # Another repository's challenge tells where tokens are had, not what to ask for here.
        challenge.scope = access.scope((challenge.scope or "") if own else "")
        realm = str(challenge.realm or "")
        if not realm.startswith(("https://", "http://") if self._scheme == "http" else "https://"):
            raise RegistryError(
                f'{self.host} sends us to "{realm}" for a token, and a login is not sent there in the clear. '
                "Its operator must name an https:// realm.",
                401,
            )
        if login and login.identity:  # OAuth2, RFC 6749 section 6
            form = {"grant_type": "refresh_token", "client_id": "argosy", "service": challenge.service or ""}
            form |= {"scope": challenge.scope, "refresh_token": login.secret}
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            said = self._ask("POST", realm, headers=kind, body=urlencode(form), follow=False)
            granted = self._granted(access, said).json()
            return str(granted.get("access_token") or granted.get("token") or "")
        service = SimpleNamespace(get=functools.partial(self._ask_service, access))
        backend = get_auth_backend("token", session=service, insecure=self._scheme == "http")
        if login:
            backend.set_basic_auth(login.username, login.secret)
        return str(backend.request_token(challenge) or "")

    def _ask_service(
        self, access: Access, url: str, *, params: Mapping[str, str], headers: Any, verify: Any = None
    ) -> SimpleNamespace:
        """What oras takes for its session: its requests for tokens keep our time limits, trust and errors."""
        del verify
        asked = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        granted = self._granted(access, self._ask("GET", asked, headers=headers))
        return SimpleNamespace(status_code=granted.status, json=granted.json)

    def _granted(self, access: Access, answer: Answer) -> Answer:
        try:
            granted = answer.status == 200 and isinstance(answer.json(), dict)
        except ValueError:
            granted = False
        if not granted:
            raise self.refusal(answer, access)
        return answer

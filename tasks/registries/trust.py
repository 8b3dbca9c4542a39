"""Whom a registry's connection trusts: TLS authorities, client certificates, proxies, loopback.

Follows Docker's client, so that what Docker can reach is reached here, with the same files. Knows addresses and
certificates, no registry protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import SurroundingsError
from ..homes import home

if TYPE_CHECKING:
    import ssl

    import requests

# More connections than any caller has threads: one beyond would be thrown away after each request.
_POOL = 32


def is_loopback(netloc: str) -> bool:
    """Tells whether Docker would speak plain HTTP to this host[:port]: localhost, 127.0.0.0/8, [::1]."""
    import ipaddress

    try:
        name = urlsplit(f"//{netloc}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def proxies(url: str) -> Mapping[str, str]:
    """Returns the environment's proxies for a URL; loopback never has one, as in Go (and unlike requests)."""
    import requests.utils

    return {} if is_loopback(urlsplit(url).netloc) else requests.utils.get_environ_proxies(url)


def session(address: str, env: Mapping[str, str], *, tls: bool) -> requests.Session:
    """Returns a session that may be used from many threads; with `tls` it trusts what Docker would trust at `address`.

    Raises SurroundingsError for a certificate file that cannot be used.
    """
    import requests
    from requests.adapters import HTTPAdapter

    # Reading the authorities takes 20 ms and more, which plain HTTP need not wait for.
    options: dict[str, Any] = {"ssl_context": _context(address, env)} if tls else {}

    class Trusting(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **more: Any) -> None:
            super().init_poolmanager(*args, **options | more)

        def proxy_manager_for(self, proxy: Any, **more: Any) -> Any:
            return super().proxy_manager_for(proxy, **options | more)

    made = requests.Session()
    # Otherwise an entry of ~/.netrc would replace the token that was fetched.
    made.trust_env = False
    made.headers["User-Agent"] = "argosy"
    made.mount("https://" if tls else "http://", Trusting(pool_maxsize=_POOL))
    return made


def _context(address: str, env: Mapping[str, str]) -> ssl.SSLContext:
    """The system's authorities, those the environment names, and the registry's own as Docker and podman keep them
    (https://docs.docker.com/engine/security/certificates/): `*.crt` to trust, `*.cert` with `*.key` to show.
    """
    import ssl

    context = ssl.create_default_context()
    # Python 3.13 refuses the plain self-signed certificates of many a private registry; Docker takes them.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    folders = _folders(address, env)
    named = [
        Path(env[key]) for key in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if env.get(key)
    ]
    kept = [file for folder in folders for file in sorted(folder.glob("*.crt"))]
    loaded = ssl.get_default_verify_paths().cafile
    authorities = {file.resolve() for file in [*named, *kept] if file.is_file()} - {
        Path(loaded or "").resolve()
    }
    shown = [cert for folder in folders for cert in sorted(folder.glob("*.cert"))]
    file = Path()
    try:
        for file in authorities:
            context.load_verify_locations(file)
        for file in shown:
            context.load_cert_chain(file, file.with_suffix(".key"))
    except OSError as error:  # ssl.SSLError is one
        raise SurroundingsError(
            f"{file} cannot be used as a PEM certificate for {address} (a *.cert file needs its *.key beside it)."
        ) from error
    return context


def authority(address: str, env: Mapping[str, str]) -> Path | None:
    """Returns the certificate that Docker trusts at this address only, for tools that do not look where Docker does."""
    return next((file for folder in _folders(address, env) for file in sorted(folder.glob("*.crt"))), None)


def _folders(address: str, env: Mapping[str, str]) -> list[Path]:
    configs = Path(env.get("XDG_CONFIG_HOME") or home(env) / ".config")
    return [
        Path(root, kind, "certs.d", address)
        for root in ("/etc", configs)
        for kind in ("docker", "containers")
    ]

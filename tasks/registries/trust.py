"""Whom a registry's connection trusts: TLS authorities, client certificates, proxies, loopback.

Follows Docker's client, so that what Docker can reach is reached here, with the same files. Knows addresses and
certificates, no registry protocol.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import SurroundingsError
from ..homes import home

if TYPE_CHECKING:
    import ssl


def is_loopback(netloc: str) -> bool:
    """Tells whether Docker would speak plain HTTP to this host[:port]: localhost, 127.0.0.0/8, [::1]."""
    import ipaddress

    try:
        name = urlsplit(f"//{netloc}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def proxy(url: str) -> str:
    """Returns the environment's proxy for a URL, "" for none; loopback never has one, as in Go."""
    if is_loopback(urlsplit(url).netloc) or not any(name.lower().endswith("_proxy") for name in os.environ):
        return ""
    from requests import utils

    found = utils.select_proxy(url, utils.get_environ_proxies(url))
    return utils.prepend_scheme_if_needed(found, "http") if found else ""


def proxy_login(url: str) -> Mapping[str, str]:
    """Returns the header for a login that a proxy's address holds, if it holds one."""
    import urllib3
    from requests import utils

    name, password = utils.get_auth_from_url(url)
    return urllib3.make_headers(proxy_basic_auth=f"{name}:{password}") if name or password else {}


def context(address: str, env: Mapping[str, str]) -> ssl.SSLContext:
    """Returns the authorities to trust at an address, and the certificates to show there.

    They are the system's, those the environment names, and the registry's own as Docker and podman keep them: `*.crt`
    to trust, `*.cert` with `*.key` to show (https://docs.docker.com/engine/security/certificates/).

    Raises SurroundingsError for a file that cannot be used.
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

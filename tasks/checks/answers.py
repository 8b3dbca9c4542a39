"""What a service answers over HTTP, and whether a text is what was expected. It knows addresses, no containers."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import string
import time
from urllib.parse import quote

from ..model import ImageTest

SECONDS = 10.0
"""The most that one request may take; of an answer without end that is read which came by then."""
_MOST = 1_000_000
_SHOWN = 80
"""How many characters of an answer that is wrong are shown."""
_PLAIN = string.punctuation
"""What stays as it is written in a path, "%" too; all else that is not ASCII's letters and digits is quoted."""


def get(address: tuple[str, int], path: str) -> tuple[int, str] | str:
    """Asks once. Returns status and body (redirects are not followed), or why there is none."""
    connection = http.client.HTTPConnection(*address, timeout=SECONDS)
    end = time.monotonic() + SECONDS
    try:
        connection.request("GET", quote(path, safe=_PLAIN), headers={"Connection": "close"})
        taken = connection.sock  # an answer that ends with its connection takes that along
        with connection.getresponse() as response:
            return response.status, _body(response, taken, end).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({str(error) or type(error).__name__})"
    finally:
        connection.close()


def _body(response: http.client.HTTPResponse, taken: socket.socket, end: float) -> bytes:
    """Reads what comes until the end, or until the time is up: the timeout is each read's own."""
    body = b""
    with contextlib.suppress(TimeoutError):
        while len(body) < _MOST and (left := end - time.monotonic()) > 0:
            taken.settimeout(left)
            piece = response.read1(_MOST - len(body))
            if not piece:
                break
            body += piece
    return body


def unlike(test: ImageTest, text: str) -> str:
    """Returns what is wrong with what was written or answered, "" if it is as expected."""
    if test.output is not None and test.output not in text:
        wanted = f'"{test.output}" is not in it'
    elif test.regex is not None and not re.search(test.regex, text, re.MULTILINE):
        wanted = f"nothing like '{test.regex}' is in it"
    else:
        return ""
    return wanted if text.strip() else f"{wanted}, it is empty"


def wrong(test: ImageTest, answer: tuple[int, str] | str) -> str:
    """Returns what is wrong with an answer and how it begins, "" if it is as expected."""
    if isinstance(answer, str):
        return answer
    status, body = answer
    problem = f"status {status}, not {test.status}" if status != test.status else unlike(test, body)
    begin = " ".join(body[:_SHOWN].split())
    return f'{problem}; it begins "{begin}"' if problem and begin else problem

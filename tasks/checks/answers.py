"""What a service answers over HTTP, and whether a text is what was expected. It knows addresses, no containers."""

from __future__ import annotations

import http.client
import re

from ..model import ImageTest

SECONDS = 5.0
"""The most that one request may take."""


def get(address: tuple[str, int], path: str) -> tuple[int, str] | str:
    """Asks once. Returns status and body (redirects are not followed), or why there is none."""
    connection = http.client.HTTPConnection(*address, timeout=SECONDS)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read(1_000_000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({str(error) or type(error).__name__})"
    finally:
        connection.close()


def unlike(test: ImageTest, text: str) -> str:
    """Returns what is wrong with what was written or answered, "" if it is as expected."""
    if test.output is not None and test.output not in text:
        return f'"{test.output}" is not in it'
    if test.regex is not None and not re.search(test.regex, text, re.MULTILINE):
        return f"nothing like '{test.regex}' is in it"
    return ""


def wrong(test: ImageTest, answer: tuple[int, str] | str) -> str:
    """Returns what is wrong with an answer, "" if it is as expected."""
    if isinstance(answer, str):
        return answer
    status, body = answer
    return f"status {status}, not {test.status}" if status != test.status else unlike(test, body)

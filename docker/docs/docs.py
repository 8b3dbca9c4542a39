"""The project's documents as a small site: an index at /, a page per document, the shared assets."""

from __future__ import annotations

import html
import mimetypes
from pathlib import Path

from service import Reply, run

SITE = Path(__file__).with_name("site")
# What is not in this table cannot be asked for, however its path is spelled.
FILES = {f"/{file.relative_to(SITE)}": file for file in sorted(SITE.rglob("*")) if file.is_file()}

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><link rel="stylesheet" href="/assets/style.css"></head>
<body><nav><a href="/"><img src="/assets/logo.svg" alt="Index"></a><h1>{title}</h1></nav>
{body}</body>
</html>
"""


def page(title: str, body: str) -> Reply:
    """A page of the site. The body is HTML, the title is not."""
    return Reply(PAGE.format(title=html.escape(title), body=body).encode(), "text/html; charset=utf-8")


def index() -> Reply:
    """Links to all documents."""
    names = [html.escape(path[1:]) for path, file in FILES.items() if file.suffix == ".md"]
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in names)
    return page("Documents", f"<ul>{links}</ul>\n")


def answer(path: str) -> Reply | None:
    """The index, a document or an asset."""
    if path == "/":
        return index()
    file = FILES.get(path)
    if file is None:
        return None
    if file.suffix == ".md":
        return page(file.stem, f"<pre>{html.escape(file.read_text())}</pre>\n")
    return Reply(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream")


if __name__ == "__main__":
    run("docs", "1.0.0", answer)

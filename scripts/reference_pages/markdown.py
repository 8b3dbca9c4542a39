"""Markdown as values: headings' notes, tables, cells. It knows nothing of what a page is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def note(source: str) -> str:
    """Returns the line that keeps people from editing a generated page."""
    return f"<!-- Written by scripts/reference from {source}: change it there. -->\n"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join("| " + " | ".join(map(cell, line)) + " |\n" for line in lines)


def cell(text: str) -> str:
    """Returns text that neither ends its cell nor its row."""
    return text.replace("|", "\\|").replace("\n", " ")


def code(text: str) -> str:
    """Returns text as code, "" as nothing."""
    return f"`{text}`" if text else ""


def sentence(text: str) -> str:
    """Returns a docstring's paragraph as one line with a full stop, and a capital unless a file's name comes first."""
    flat = " ".join(text.split())
    if "." not in flat.split(" ", 1)[0]:
        flat = flat[:1].upper() + flat[1:]
    return flat if flat.endswith((".", "!", ":")) else f"{flat}."

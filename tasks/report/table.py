"""One description of a table, three ways to write it: for a terminal, as plain aligned text, as Markdown.

It knows nothing of what stands in the cells. All three come from the same rows; nothing is ever cut off:
what a terminal is too narrow for is broken between words, then its widest column goes below each row, then
every cell has a line of its own.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TextIO

GAP = "  "
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, which side its cells stand on, and whether they may be broken over lines."""

    title: str
    align: Literal["left", "right"] = "left"
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of one or more lines, and how a terminal shows it: "", "red", "bold green" …"""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows; a bare string in a row is a cell without a style."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | str, ...], ...]

    def text(self, width: int | None = None, *, colours: bool = False) -> str:
        """Returns aligned text, as wide as it needs to be or fitted into `width` characters."""
        heading = tuple(Cell(column.title.upper(), "dim") for column in self.columns)
        rows = [tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row) for row in self.rows]
        every = list(range(len(self.columns)))
        lines: list[str] = []
        if widths := self._widths([heading, *rows], every, width):
            for row in (heading, *rows):
                lines += self._lines(row, every, widths, colours=colours)
        elif width and (narrow := self._without_widest([heading, *rows], every, width)):
            aside, kept, widths = narrow
            indent = widths[0] + len(GAP)
            for row in (heading, *rows):
                lines += self._lines(row, kept, widths, colours=colours)
                if row is not heading and row[aside].text:
                    lines += [
                        " " * indent + line for line in _wrapped(row[aside].text, max(1, width - indent))
                    ]
        else:
            for row in rows:
                lines += _stacked(heading, row, width or 0, colours=colours)
        return "".join(f"{line}\n" for line in lines)

    def markdown(self) -> str:
        """Returns a table in GitHub's Markdown."""
        header = " | ".join(column.title for column in self.columns)
        rule = " | ".join("---:" if column.align == "right" else "---" for column in self.columns)
        body = (" | ".join(map(_escaped, row)) for row in self.rows)
        return "".join(f"| {line} |\n" for line in (header, rule, *body))

    def _widths(
        self, rows: Sequence[Sequence[Cell]], columns: Sequence[int], room: int | None
    ) -> list[int] | None:
        """Returns the columns' widths, or None where they do not fit even with every column at its narrowest."""
        widths = [max(len(line) for row in rows for line in row[one].text.split("\n")) for one in columns]
        if room is None:
            return widths
        narrowest = [
            _longest_word(rows, one) if self.columns[one].wraps else wide
            for one, wide in zip(columns, widths, strict=True)
        ]
        while (excess := sum(widths) + len(GAP) * (len(widths) - 1) - room) > 0:
            give = max(range(len(widths)), key=lambda index: widths[index] - narrowest[index])
            if widths[give] == narrowest[give]:
                return None
            widths[give] -= min(excess, max(1, (widths[give] - narrowest[give]) // 2))
        return widths

    def _without_widest(
        self, rows: Sequence[Sequence[Cell]], columns: Sequence[int], room: int
    ) -> tuple[int, list[int], list[int]] | None:
        """Returns the column to set below each row, the others and their widths; None where that does not help."""
        wrapping = [one for one in columns[1:] if self.columns[one].wraps]
        if not wrapping:
            return None
        aside = max(wrapping, key=lambda one: _longest_word(rows, one))
        kept = [one for one in columns if one != aside]
        widths = self._widths(rows, kept, room)
        return (aside, kept, widths) if widths else None

    def _lines(
        self, row: Sequence[Cell], columns: Sequence[int], widths: Sequence[int], *, colours: bool
    ) -> list[str]:
        cells = [_wrapped(row[one].text, width) for one, width in zip(columns, widths, strict=True)]
        lines = []
        for number in range(max(map(len, cells))):
            parts = []
            for one, width, texts in zip(columns, widths, cells, strict=True):
                text = texts[number] if number < len(texts) else ""
                space = " " * (width - len(text))
                shown = styled(text, row[one].style, colours=colours)
                parts.append(space + shown if self.columns[one].align == "right" else shown + space)
            lines.append(GAP.join(parts).rstrip())
        return lines


def write(table: Table, stream: TextIO) -> None:
    """Writes a table to a stream: fitted and coloured on a terminal, else plain and as wide as it is."""
    if stream.isatty():
        stream.write(table.text(shutil.get_terminal_size().columns, colours=has_colours(stream, os.environ)))
    else:
        stream.write(table.text())
    stream.flush()  # what follows on stderr stands behind it in a CI's log


def has_colours(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Returns whether to colour what goes to a stream (https://no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def styled(text: str, style: str, *, colours: bool) -> str:
    """Returns text in a terminal's codes for a style, or as it is."""
    if not (colours and style and text):
        return text
    return f"\x1b[{';'.join(_CODES[word] for word in style.split())}m{text}\x1b[0m"


def _longest_word(rows: Sequence[Sequence[Cell]], column: int) -> int:
    return max((len(word) for row in rows for word in row[column].text.split()), default=0)


def _wrapped(text: str, width: int) -> list[str]:
    return [
        line
        for paragraph in text.split("\n")
        for line in textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False) or [""]
    ]


def _stacked(heading: Sequence[Cell], row: Sequence[Cell], width: int, *, colours: bool) -> list[str]:
    """Returns a row as lines of their own, for terminals that are too narrow for the table."""
    indent = max(len(cell.text) for cell in heading) + len(GAP)
    room = max(1, width - len(GAP) - indent)
    first, *others = zip(heading, row, strict=True)
    lines = [styled(first[1].text, first[1].style, colours=colours)]
    for title, cell in others:
        for number, text in enumerate(_wrapped(cell.text, room)):
            label = (title.text.lower() if number == 0 else "").ljust(indent)
            lines.append(f"{GAP}{label}{styled(text, cell.style, colours=colours)}".rstrip())
    return lines


def _escaped(cell: Cell | str) -> str:
    """Returns a cell's text for Markdown: no bar may end it, no line break may end the row."""
    text = cell.text if isinstance(cell, Cell) else cell
    return text.replace("|", "\\|").replace("\n", "<br>")

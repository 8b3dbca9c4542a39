"""One description of a table, three ways to write it: for a terminal, as plain aligned text, as Markdown.

It knows nothing of what stands in the cells. rich is imported only where a terminal is written to, so that
programs and pipes do not pay for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    import rich.table

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, which side its cells stand on, and whether they may be broken over lines.

    Narrow columns (names, numbers) are never broken; a wide one (references) is, where a terminal is too
    small for it. Nothing is ever cut off.
    """

    title: str
    align: Literal["left", "right"] = "left"
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of one or more lines, and the colour a terminal shows it in ("" for its own)."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows; a bare string in a row is a cell without a colour."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | str, ...], ...]

    def plain(self) -> str:
        """Returns aligned text, as wide as it needs to be, without colours and with nothing cut off."""
        rows = [tuple(column.title.upper() for column in self.columns), *map(_texts, self.rows)]
        widths = [max(_width(row[index]) for row in rows) for index in range(len(self.columns))]
        return "".join(f"{line}\n" for row in rows for line in self._lines(row, widths))

    def markdown(self) -> str:
        """Returns a table in GitHub's Markdown."""
        header = " | ".join(column.title for column in self.columns)
        rule = " | ".join("---:" if column.align == "right" else "---" for column in self.columns)
        body = (" | ".join(map(_escaped, _texts(row))) for row in self.rows)
        return "".join(f"| {line} |\n" for line in (header, rule, *body))

    def terminal(self) -> rich.table.Table:
        """Returns the table for a rich console, which folds wide columns into the width there is."""
        from rich import box, table
        from rich.text import Text

        # Only one padding on the right: rows line up with the plain text around the table.
        drawn = table.Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        for column in self.columns:
            drawn.add_column(
                column.title,
                justify=column.align,
                no_wrap=not column.wraps,
                overflow="fold",
            )
        for row in self.rows:
            cells = (cell if isinstance(cell, Cell) else Cell(cell) for cell in row)
            drawn.add_row(*(Text(cell.text, style=cell.style) for cell in cells))
        return drawn

    def _lines(self, row: Sequence[str], widths: Sequence[int]) -> list[str]:
        cells = [text.split("\n") for text in row]
        height = max(map(len, cells))
        lines = []
        for index in range(height):
            parts = (
                text.rjust(width) if column.align == "right" else text.ljust(width)
                for column, width, text in zip(
                    self.columns,
                    widths,
                    (cell[index] if index < len(cell) else "" for cell in cells),
                    strict=True,
                )
            )
            lines.append(GAP.join(parts).rstrip())
        return lines


def write(table: Table, stream: TextIO) -> None:
    """Writes the table to a stream in the form that suits it: rich on a terminal, else plain text."""
    if not stream.isatty():
        stream.write(table.plain())
        return
    from rich.console import Console

    Console(file=stream, highlight=False, soft_wrap=False).print(table.terminal())


def _texts(row: Sequence[Cell | str]) -> tuple[str, ...]:
    return tuple(cell.text if isinstance(cell, Cell) else cell for cell in row)


def _width(text: str) -> int:
    return max(map(len, text.split("\n")))


def _escaped(text: str) -> str:
    """Returns text as one Markdown cell: no bar may end it, no line break may end the row."""
    return text.replace("|", "\\|").replace("\n", "<br>")

"""One report: what a command found, for people as text and for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

# Version of the JSON of every command; docs/json.md describes it.
SCHEMA_VERSION = 3


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table; numbers stand at the right, words that may be long wrap."""

    title: str
    number: bool = False
    wraps: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of texts under columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """`command` and `data` are the JSON; `title`, `tables` and `lines` are the text, in this order."""

    command: str
    title: str
    data: Mapping[str, Any]
    tables: tuple[Table, ...] = ()
    lines: tuple[str, ...] = field(default=())

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps({"command": self.command, "schema": SCHEMA_VERSION, **self.data}, indent=2)

    def print(self, console: Console) -> None:
        """Print the text."""
        console.print(Text(self.title, style="bold"))
        for index, table in enumerate(self.tables):
            if index:
                console.print()
            rich_table = RichTable(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
            for column in table.columns:
                rich_table.add_column(column.title, justify="right" if column.number else "left",
                                      no_wrap=not column.wraps, overflow="fold")
            for row in table.rows:
                rich_table.add_row(*(Text(cell) for cell in row))
            console.print(rich_table)
        for line in self.lines:
            console.print(Text(line))

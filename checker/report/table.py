"""The state of a trace as tables: maps with the same keys, such as the fields of a role, share one.

A table has a column for each node and a row for each variable, or the other way round where there are many nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from checker.report.changes import brief
from checker.report.diagram import messages
from checker.report.look import printable
from checker.report.story import message
from checker.verdict import MapValue, Trace, Value, Variable, show

_MANY = 6  # with more nodes than this, and than variables, each node has a row


@dataclass(frozen=True)
class Head:
    """What stands at the head of a row or column, and the number of the variable that it is about, if it is."""

    text: str
    variable: int | None = None


@dataclass(frozen=True)
class Cell:
    """One place in a table: a variable by its number, or one entry of it."""

    variable: int
    key: int | None
    network: bool
    last: str = ""
    before: str | None = None
    """The text in the last state, and in the one before it where that was another."""

    def text(self, state: Sequence[Value]) -> str:
        """What the cell shows in a state; of a network one message a line."""
        value = state[self.variable]
        if self.key is not None and isinstance(value, MapValue):
            value = value.entries[self.key][1]
        if self.network:
            return _network(value)
        return printable(brief(value))


@dataclass(frozen=True)
class TableRow:
    head: Head
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Rows and columns of cells. A table of plain variables has no column heads."""

    title: str
    columns: tuple[Head, ...]
    rows: tuple[TableRow, ...]


def tables(trace: Trace) -> tuple[Table, ...]:
    """The tables of a trace: each role's fields, maps by their keys, other variables, networks."""
    groups: dict[tuple[str, ...], list[int]] = {}
    titles: dict[tuple[str, ...], str] = {}
    plain, networks = [], []
    for i, variable in enumerate(trace.variables):
        value = trace.states[0][i]
        if variable.network:
            networks.append(i)
        elif isinstance(value, MapValue) and value.entries:
            keys = tuple(show(key) for key, _ in value.entries)
            groups.setdefault((variable.role or "", *keys), []).append(i)
            titles[(variable.role or "", *keys)] = variable.role or ""
        else:
            plain.append(i)
    found = [_grid(trace, printable(titles[name]), name[1:], members) for name, members in groups.items()]
    found += [_list(trace, title, members) for title, members in (("", plain), ("Network", networks)) if members]
    return tuple(found)


def _grid(trace: Trace, title: str, keys: tuple[str, ...], members: list[int]) -> Table:
    nodes = [Head(printable(key)) for key in keys]
    fields = [Head(printable(_name(trace.variables[i], title)), i) for i in members]
    grid = [[_cell(trace, i, k) for k in range(len(keys))] for i in members]
    if len(nodes) > max(_MANY, len(fields)):
        turned = zip(*grid, strict=True)
        return Table(title, tuple(fields), tuple(map(TableRow, nodes, map(tuple, turned))))
    return Table(title, tuple(nodes), tuple(map(TableRow, fields, map(tuple, grid))))


def _name(variable: Variable, title: str) -> str:
    return variable.short_name if title else variable.full_name


def _list(trace: Trace, title: str, members: list[int]) -> Table:
    heads = [Head(printable(trace.variables[i].full_name), i) for i in members]
    cells = [(_cell(trace, i, None),) for i in members]
    return Table(title, (), tuple(map(TableRow, heads, cells)))


def _cell(trace: Trace, variable: int, key: int | None) -> Cell:
    cell = Cell(variable, key, trace.variables[variable].network)
    last = cell.text(trace.states[-1])
    before = cell.text(trace.states[-2]) if trace.steps else last
    return Cell(variable, key, cell.network, last, before if before != last else None)


def _network(value: Value) -> str:
    counts = Counter(messages(value))
    return "\n".join(printable(message(m) + (f" x{n}" if n > 1 else "")) for m, n in counts.items()) or "empty"

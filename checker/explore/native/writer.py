"""Writing C: nested blocks, names that do not collide, and where a computation may be moved to.

A block is a scope: it knows which bound names it introduces and which values have been computed in it. Nothing here
knows what any expression means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from checker.explore.native.shapes import Shape
from checker.language.ir import Expr


@dataclass(frozen=True)
class Code:
    """A value in a word: `text` is a C expression, an `int64_t` for integers and else the value's code."""

    shape: Shape
    text: str


@dataclass(frozen=True)
class Wide:
    """A value as a row of bits from bit `at` of the words at `base`."""

    shape: Shape
    base: str
    at: int | str


Value: TypeAlias = Code | Wide


@dataclass
class Block:
    """Lines of C in order, some of them blocks.

    `prelude` is the place right before the block, in the enclosing scope. `bound` holds the uids whose values belong
    to this scope, `known` what expressions are worth that were computed here.
    """

    head: str
    kind: Literal["function", "loop", "branch", "prelude"]
    parent: Block | None
    prelude: Block | None = None
    bound: set[int] = field(default_factory=set)
    known: dict[Expr, Value] = field(default_factory=dict)
    lines: list[str | Block] = field(default_factory=list)
    end: str = ""

    def line(self, text: str) -> None:
        self.lines.append(text)

    def open(self, head: str, kind: Literal["loop", "branch"] = "branch") -> Block:
        """A new block at the end of this one, as `head { … }`."""
        scope = self.scope
        prelude = Block("", "prelude", self)
        prelude.bound, prelude.known = scope.bound, scope.known
        block = Block(head, kind, self, prelude)
        self.lines += [prelude, block]
        return block

    @property
    def scope(self) -> Block:
        """The block whose braces enclose what is written here."""
        block = self
        while block.kind == "prelude":
            assert block.parent is not None
            block = block.parent
        return block

    def outwards(self) -> Iterator[Block]:
        """This block and those around it, the innermost first."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.parent

    def find(self, expr: Expr) -> Value | None:
        """The value of an expression that was computed where this block can see it."""
        for block in self.outwards():
            if expr in block.known:
                return block.known[expr]
        return None

    def place_for(self, needs: frozenset[int]) -> Block | None:
        """The place before the outermost loop around this block, such that the names needed are known there.

        None if there is no such loop: the computation is best where it stands.
        """
        best = None
        for block in self.outwards():
            if block.bound & needs:
                break
            if block.kind == "loop":
                best = block.prelude
        return best

    @property
    def empty(self) -> bool:
        return all(isinstance(line, Block) and line.kind == "prelude" and line.empty for line in self.lines)

    def render(self, depth: int = 0) -> Iterator[str]:
        """The lines of the block with its braces, indented."""
        if self.kind == "prelude":
            yield from self._inside(depth)
            return
        yield "    " * depth + self.head + (" {" if self.head else "{")
        yield from self._inside(depth + 1)
        if self.end:
            yield "    " * depth + self.end
        yield "    " * depth + "}"

    def _inside(self, depth: int) -> Iterator[str]:
        for line in self.lines:
            if isinstance(line, Block):
                yield from line.render(depth)
            else:
                yield "    " * depth + line


_RESERVED = frozenset({
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool",
    "true", "false", "load", "store", "emit", "cut", "found", "mark", "mix", "overflow", "undefined", "wanted",
    "expand", "terminal", "permute", "model", "s", "n", "w", "main", "check_state", "check_step", "initial_states",
    "emit_initial", "element_key", "State", "Worker", "Group", "Renaming", "Colours", "asm", "typeof", "linux",
    "unix", "after",
})  # fmt: skip


class Names:
    """Identifiers of one C function or file, each given once."""

    def __init__(self) -> None:
        self.taken = set(_RESERVED)

    def fresh(self, wish: str) -> str:
        """The wish, made an identifier, with a number where it is taken."""
        base = re.sub(r"[^A-Za-z0-9]+", "_", wish).strip("_") or "x"
        if base[0].isdigit():
            base = f"x{base}"
        name, count = base, 1
        while name in self.taken:
            count += 1
            name = f"{base}_{count}"
        self.taken.add(name)
        return name


def plus(left: int | str, right: int | str) -> int | str:
    """The sum of two offsets, computed where both are known."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    if left == 0:
        return right
    if right == 0:
        return left
    return f"({left} + {right})"


def times(left: int | str, right: int) -> int | str:
    """The product of an offset and a constant."""
    if isinstance(left, int):
        return left * right
    if right == 0:
        return 0
    return left if right == 1 else f"({left} * {right})"


def literal(value: int) -> str:
    """An unsigned constant."""
    if value < 0:
        raise ValueError("codes are not negative")
    return str(value) if value < 1 << 31 else f"UINT64_C({value:#x})"


_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|UINT64_C\([0-9a-fx]+\)")


def is_simple(text: str) -> bool:
    """Whether repeating the text costs nothing: a name or a number."""
    return _SIMPLE.fullmatch(text) is not None


def as_constant(text: str) -> int | None:
    """The number that a text is, if it is one."""
    if text.isdigit():
        return int(text)
    match = re.fullmatch(r"UINT64_C\(0x([0-9a-f]+)\)", text)
    return int(match[1], 16) if match else None

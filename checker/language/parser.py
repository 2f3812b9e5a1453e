"""From a file to its syntax tree: `read_source` and `parse`.

All syntax errors of a file are found in one run: each block is parsed on its own, and where one fails, the blocks
within it. What names mean is not known here.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias, cast

import lark
from lark import Lark, Token, UnexpectedToken

from checker.language import syntax as s
from checker.language.complaints import Failure, explain
from checker.language.layout import Lexeme, Line, read_head, read_lines, words
from checker.language.trees import Builder, Leaf
from checker.source import Diagnostic, Source, Span, SpecError, did_you_mean

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 200  # operations and statements within one another; later stages recurse over the tree
MAX_ERRORS = 100  # in a file; whoever has more is not helped by more


def read_source(path: str | os.PathLike[str]) -> Source:
    """The text of a file, with line ends as `\\n` and without a byte order mark.

    Raises SpecError with a diagnostic Q0701 to Q0705 when there is no such text.
    """
    name = os.fspath(path)
    try:
        if Path(name).is_dir():
            raise _unreadable("Q0702", f"`{name}` is a directory", "name a file in it that ends in `.spec`")
        with open(name, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable("Q0701", f"there is no file `{name}`", _files_nearby(name)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unreadable("Q0705", f"`{name}` cannot be read: {reason}", "check its name and its permissions") from None
    if b"\0" in content:
        raise _unreadable("Q0703", f"`{name}` is not a text", "save it as plain text in the encoding UTF-8")
    if len(content) > MAX_BYTES:
        raise _unreadable("Q0704", f"`{name}` has more than 4 MiB", "a spec is a text of some hundred lines")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"`{name}` is not a UTF-8 text (line {line}, byte {error.start})"
        raise _unreadable("Q0703", message, "save it in the encoding UTF-8") from None
    return Source(name, text.replace("\r\n", "\n").replace("\r", "\n"))


def _unreadable(code: str, message: str, hint: str) -> SpecError:
    return SpecError([Diagnostic(code, message, hint=hint)])


def _files_nearby(name: str) -> str:
    try:
        specs = sorted(path.name for path in Path(name).parent.glob("*.spec"))[:8]
    except (OSError, ValueError):
        specs = []
    return f"there are {', '.join(f'`{spec}`' for spec in specs)}" if specs else "check the path"


def parse(source: Source) -> tuple[s.File, tuple[Diagnostic, ...]]:
    """The items of a source that could be parsed, and the errors of the others, in order of place."""
    lines, diagnostics = read_lines(source)
    work = _Work(list(diagnostics))
    items = tuple(item for item in _parse_units(_units(lines, "item"), "item", work) if item is not None)
    work.diagnostics.extend(_head_problems(source, lines))
    found = sorted(work.diagnostics, key=lambda diagnostic: diagnostic.order)
    return s.File(source, items, frozenset(work.broken)), tuple(found[:MAX_ERRORS])


def parse_head(source: Source) -> s.SpecHead | None:
    """The first line of a source; None when it is not `spec` and a name."""
    line = read_head(source)
    tree = _parse_unit([line], "item", _Work([])) if line is not None else None
    return tree if isinstance(tree, s.SpecHead) else None


def _head_problems(source: Source, lines: tuple[Line, ...]) -> Iterator[Diagnostic]:
    """The rule that `spec NAME` stands once, and first."""
    hint = "begin the file with `spec` and a name, such as `spec Paxos`"
    if not lines:
        yield Diagnostic("Q0107", "the file declares nothing", Span(source, 1, 1, 1, 1), hint)
        return
    heads = [line for line in lines if line.lexemes[0].text == "spec"]
    if not heads and did_you_mean(lines[0].lexemes[0].text, ["spec"]) is None:
        yield Diagnostic("Q0107", "the file does not begin with `spec` and a name", lines[0].lexemes[0].span, hint)
    if not heads:
        return
    if heads[0] is not lines[0]:
        yield Diagnostic("Q0107", "`spec` is not the first declaration", heads[0].lexemes[0].span, "move it to the top")
    for again in heads[1:]:
        notes = (("the first is here", heads[0].lexemes[0].span),)
        yield Diagnostic(
            "Q0107", "a second `spec` in this file", again.lexemes[0].span, "one file holds one spec", notes
        )


# --- units: what is parsed on its own ---------------------------------------------------------------

Unit: TypeAlias = list[Line]  # one line with its block; or an `if` with its `elif`s and `else`

_INNER = {
    "item": dict.fromkeys(("action", "timeout", "procedure", "after"), "statement")
    | dict.fromkeys(("invariant", "lemma", "step", "reachable", "terminal", "assume"), "clause")
    | {"role": "member", "proof": "premise_line", "instance": "instance_line"},
    "member": dict.fromkeys(("on", "action", "timeout", "procedure"), "statement"),
    "statement": dict.fromkeys(("if", "elif", "else"), "statement"),
}
_STUBS = {"statement": ["skip"], "clause": ["true"], "premise_line": ["from", "it"]}


@dataclass
class _Work:
    """What has been found so far in a file."""

    diagnostics: list[Diagnostic]
    broken: set[str] = field(default_factory=set)


def _units(lines: Iterable[Line], start: str) -> list[Unit]:
    units: list[Unit] = []
    for line in lines:
        if start == "statement" and units and line.lexemes[0].text in ("elif", "else") and _is_if(units[-1]):
            units[-1].append(line)
        else:
            units.append([line])
    return units


def _keyword(line: Line) -> str:
    """The word that says what a line declares."""
    first = line.lexemes[0].text
    return line.lexemes[1].text if first == "replace" and len(line.lexemes) > 1 else first


def _is_if(unit: Unit) -> bool:
    return unit[0].lexemes[0].text == "if" and unit[-1].lexemes[0].text in ("if", "elif")


def _parse_units(units: Iterable[Unit], start: str, work: _Work) -> Iterator[Any]:
    """The tree of each unit, or None. Lines that may be the block which a head before them lacks are not blamed."""
    orphans = False
    for unit in units:
        before = len(work.diagnostics)
        tree = _parse_unit(unit, start, work)
        new = work.diagnostics[before:]
        if orphans and all(diagnostic.code == "Q0106" for diagnostic in new):
            del work.diagnostics[before:]
        orphans = tree is None and (orphans or any(diagnostic.code == "Q0112" for diagnostic in new))
        yield tree


def _parse_unit(unit: Unit, start: str, work: _Work) -> Any:
    """The tree of a unit, or None when it has errors; of a role with a sound head, the sound members."""
    problem: tuple[Diagnostic, ...] = ()
    enough = len(work.diagnostics) >= MAX_ERRORS
    if not enough and not any(line.reported for top in unit for line in top.walk()):
        try:
            return _tree(unit, start)
        except SpecError as error:
            problem = error.diagnostics
    rest = unit if enough else [_without_broken_parts(line, start, work) for line in unit]
    if any(kept is not line for kept, line in zip(rest, unit, strict=True)):
        problem = ()
        if not any(line.reported for line in rest):
            try:
                tree = _tree(rest, start)
                if isinstance(tree.item if isinstance(tree, s.ReplaceItem) else tree, s.RoleItem):
                    return tree
            except SpecError as error:
                problem = error.diagnostics
    work.diagnostics.extend(problem)
    lexemes = (lexeme for top in unit for line in top.walk() for lexeme in line.lexemes)
    work.broken.update(lexeme.text for lexeme in lexemes if lexeme.kind == "word")
    return None


def _without_broken_parts(line: Line, start: str, work: _Work) -> Line:
    """The line with its block freed of the units that have errors of their own; the same line when there are none."""
    inner = _INNER.get(start, {}).get(_keyword(line))
    if inner is None:
        return line
    units = _units(line.children, inner)
    trees = list(_parse_units(units, inner, work))
    sound = [unit for unit, tree in zip(units, trees, strict=True) if tree is not None]
    if len(sound) == len(units):
        return line
    children = [child for unit in sound for child in unit]
    if not children and inner in _STUBS:
        first = line.children[0]
        stub = [Lexeme("word", text, first.lexemes[0].span) for text in _STUBS[inner]]
        children = [Line(first.column, stub)]
    return Line(line.column, line.lexemes, line.reported, children)


# --- one unit ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Symbol:
    """A lexeme, or a layout token, in the order in which the parser takes them."""

    leaf: Leaf
    line: Line
    index: int


def _symbols(lines: Iterable[Line]) -> Iterator[_Symbol]:
    """The lexemes of lines and their blocks, with the layout tokens of the grammar between them."""
    for line in lines:
        for index, lexeme in enumerate(line.lexemes):
            yield _Symbol(Leaf(lexeme.kind, lexeme.text, lexeme.span), line, index)
        count = len(line.lexemes)
        yield _Symbol(Leaf("_NL", "", _after(line)), line, count)
        if line.children:
            first = line.children[0].lexemes[0].span
            before = Span(first.source, first.line, first.column, first.line, first.column)
            yield _Symbol(Leaf("_INDENT", "", before), line, count)
            yield from _symbols(line.children)
            yield _Symbol(Leaf("_DEDENT", "", _after(line.last)), line, count)


def _after(line: Line) -> Span:
    """The empty place at the end of a line."""
    last = line.lexemes[-1].span
    return Span(last.source, last.end_line, last.end_column, last.end_line, last.end_column)


def _tree(unit: Unit, start: str) -> Any:
    """The tree of a whole unit. Raises SpecError with the first error in it."""
    symbols = list(_symbols(unit))
    last = symbols[-1]
    symbols.append(_Symbol(Leaf("$END", "", last.leaf.span), last.line, last.index))
    tree, stopped = _run(symbols, start)
    if stopped is not None:
        raise SpecError([explain(_failure(symbols, stopped, start))])
    deep = _too_deep(tree)
    if deep is not None:
        message = f"operations are nested more than {MAX_DEPTH} deep"
        raise SpecError([Diagnostic("Q0105", message, deep, "name a part of it with `define` or `let`")])
    return tree


def _run(symbols: list[_Symbol], start: str) -> tuple[Any, int | None]:
    """The tree of the symbols; or the position of the first that the grammar does not admit."""
    grammar = _grammar()
    parser: Any = grammar.lark.parse_interactive(start=start)
    tree: Any = None
    for position in range(len(symbols)):
        try:
            tree = parser.feed_token(cast(Token, grammar.terminal(symbols, position, parser.choices())))
        except UnexpectedToken:
            return None, position
    return tree, None


def _failure(symbols: list[_Symbol], stopped: int, start: str) -> Failure:
    """The failure at a position, with what the parser would have taken there."""
    grammar = _grammar()
    parser: Any = grammar.lark.parse_interactive(start=start)
    for position in range(stopped):
        parser.feed_token(cast(Token, grammar.terminal(symbols, position, parser.choices())))
    expected = frozenset(grammar.spellings.get(name, name) for name in parser.accepts())
    symbol = symbols[stopped]
    head = symbols[stopped - 1].line if stopped else symbol.line
    found = symbol.leaf.text or symbol.leaf.type
    return Failure(found, symbol.leaf.span, symbol.line.lexemes, symbol.index, head.lexemes, expected, start)


def _too_deep(tree: object) -> Span | None:
    """The place of a node that lies too deep, if there is one; without recursion."""
    todo: list[tuple[object, int]] = [(tree, 0)]
    while todo:
        node, depth = todo.pop()
        if isinstance(node, tuple):
            todo.extend((item, depth) for item in node)
        elif isinstance(node, s.Tree):
            if depth > MAX_DEPTH:
                return node.span
            todo.extend([(part, depth + 1) for name, part in vars(node).items() if name != "span"])
    return None


# --- the grammar ------------------------------------------------------------------------------------

_STARTS = ["item", "member", "statement", "clause", "premise_line", "instance_line"]
# Words that are keywords only when a name follows them, so that variables may be called so.
_SOFT = words("max min sent flying check allow expect")
# Words that are never names, except of fields.
_RESERVED = words("and or not in union intersect minus subset forall exists if elif then else where the")
_AFTER_OPERANDS = words("and or not in union intersect minus subset then else where by from to for of")


@dataclass(frozen=True)
class _Grammar:
    """The parser of `grammar.lark`, its terminals by their text, and their texts by terminal."""

    lark: Lark
    terminals: dict[str, str]
    spellings: dict[str, str]

    def terminal(self, symbols: list[_Symbol], position: int, choices: dict[str, Any]) -> Leaf:
        """The symbol as a terminal: a word is a keyword where the parser can take that keyword, else a name."""
        leaf = symbols[position].leaf
        match leaf.type:
            case "word":
                following = symbols[position + 1].leaf
                keyword = self.terminals.get(leaf.text, "NAME")
                if keyword not in choices:
                    before = symbols[position - 1].leaf.text if position else ""
                    field = before == "." or (before in ("(", ",") and following.text == ":")
                    keyword = keyword if leaf.text in _RESERVED and not field else "NAME"
                elif leaf.text in _SOFT and (following.type != "word" or following.text in _AFTER_OPERANDS):
                    keyword = "NAME"
                return Leaf(keyword, leaf.text, leaf.span)
            case "number":
                return Leaf("NUMBER", leaf.text, leaf.span)
            case "symbol":
                return Leaf(self.terminals[leaf.text], leaf.text, leaf.span)
            case _:
                return leaf


@lru_cache(maxsize=1)
def _grammar() -> _Grammar:
    text = resources.files("checker.language").joinpath("grammar.lark").read_text(encoding="utf-8")
    key = f"{lark.__version__} {sys.version_info[:2]} {Builder.__module__}.{Builder.__qualname__} {_STARTS} {text}"
    cached = _cache_file(hashlib.sha256(key.encode()).hexdigest()[:16])
    parser = _load(cached)
    if parser is None:
        parser = Lark(
            text, parser="lalr", lexer="basic", start=_STARTS, keep_all_tokens=True, maybe_placeholders=True,
            transformer=Builder(),
        )  # fmt: skip
        _save(parser, cached)
    terminals = {str(terminal.pattern.value): terminal.name for terminal in parser.terminals}
    return _Grammar(parser, terminals, {name: text for text, name in terminals.items()})


# Making the tables takes a tenth of a second, loading them a hundredth. A cache file is the digest of the rest, then
# Lark's own pickle; it is only ever replaced as a whole, and whatever is wrong with it means that it is made again.


def _cache_file(key: str) -> Path | None:
    """Where the tables for a key are kept: in the user's cache directory, if the user has one."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(home) / "quorate" / f"grammar-{key}.bin"


def _load(path: Path | None) -> Lark | None:
    try:
        content = path.read_bytes() if path is not None else b""
    except OSError:
        return None
    digest, tables = content[:32], content[32:]
    return Lark.load(io.BytesIO(tables)) if hashlib.sha256(tables).digest() == digest else None


def _save(parser: Lark, path: Path | None) -> None:
    """Keeps the tables if it can; an unwritable directory costs a tenth of a second a run, no more."""
    if path is None:
        return
    buffer = io.BytesIO()
    parser.save(buffer)
    tables = buffer.getvalue()
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(hashlib.sha256(tables).digest() + tables)
            os.replace(name, path)
        except OSError:
            os.unlink(name)

"""What the parser makes of texts: trees, places, and lines that go on."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from checker.language import syntax as s
from checker.language.layout import MAX_NESTING
from checker.language.parser import MAX_BYTES, MAX_DEPTH, parse, read_source
from checker.source import Source, SpecError

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SPECS = [HERE / "everything.spec", HERE / "paxos.spec", *sorted((ROOT / "specs").rglob("*.spec"))]


def parsed(text: str) -> tuple[s.Item, ...]:
    """The items of a text without errors, after its head."""
    file, diagnostics = parse(Source("test.spec", text))
    assert not diagnostics, "\n".join(diagnostic.render() for diagnostic in diagnostics)
    assert isinstance(file.items[0], s.SpecHead)
    return file.items[1:]


def item(text: str) -> Any:
    (only,) = parsed(f"spec Test\n{text}\n")
    return only


def expression(text: str) -> Any:
    return item(f"assume\n    {text}").clauses[0]


def statements(*lines: str) -> Any:
    return item("\n".join(("action test", *(f"    {line}" for line in lines)))).body


def shown(tree: object) -> str:
    """An expression or type with all its parentheses, to see how it was grouped."""
    match tree:
        case s.Name() | s.Word():
            return tree.text
        case s.NamedType():
            return tree.name
        case s.Number():
            return str(tree.value)
        case s.Unary() | s.Quantifier() | s.Extremum() | s.Operation() | s.Connective() | s.Comparison():
            return f"({_shown_operation(tree)})"
        case tuple():
            return ", ".join(map(shown, tree))
        case None:
            return "-"
        case s.Tree():
            parts = [shown(getattr(tree, part.name)) for part in fields(tree) if part.name != "span"]
            return f"{type(tree).__name__}[{'; '.join(parts)}]"
        case _:
            return str(tree)


def _shown_operation(tree: s.Tree) -> str:
    match tree:
        case s.Unary():
            return f"{tree.operator} {shown(tree.operand)}"
        case s.Operation():
            return f"{shown(tree.left)} {tree.operator} {shown(tree.right)}"
        case s.Connective():
            return f" {tree.operator} ".join(map(shown, tree.items))
        case s.Comparison():
            rest = (f" {sign} {shown(one)}" for sign, one in zip(tree.operators, tree.operands[1:], strict=True))
            return shown(tree.operands[0]) + "".join(rest)
        case s.Quantifier():
            return f"{tree.kind} {shown(tree.bindings)} where {shown(tree.where)}: {shown(tree.body)}"
        case s.Extremum():
            return f"{tree.kind} {shown(tree.binding)} where {shown(tree.where)} by {shown(tree.key)}"
        case _:
            raise AssertionError(tree)


# --- grouping ---------------------------------------------------------------------------------------

GROUPED = {
    # precedence, loosest last
    "a + b * c - d": "((a + (b * c)) - d)",
    "a union b intersect c minus d": "((a union (b intersect c)) minus d)",
    "a + b < c * d": "((a + b) < (c * d))",
    "not a == b": "(not (a == b))",
    "not a and b": "((not a) and b)",
    "a and b or c and d": "((a and b) or (c and d))",
    "a or b => c": "((a or b) => c)",
    "a => b <=> c => d": "((a => b) <=> (c => d))",
    # associativity
    "a => b => c": "(a => (b => c))",
    "a <=> b <=> c": "((a <=> b) <=> c)",
    "a - b - c": "((a - b) - c)",
    "a and b and c": "(a and b and c)",
    "(a and b) and c": "((a and b) and c)",
    "a or b or c": "(a or b or c)",
    # chains of comparisons
    "zero < i <= n": "(zero < i <= n)",
    "a not in b": "(a not in b)",
    "a in b == c not in d subset e": "(a in b == c not in d subset e)",
    "a != b >= c > d": "(a != b >= c > d)",
    "(a < b) < c": "((a < b) < c)",
    # prefixes
    "- - a": "(- (- a))",
    "-a + b": "((- a) + b)",
    "a - -b": "(a - (- b))",
    "a <-b": "(a < (- b))",
    "the a.b == c": "((the Dot[a; b]) == c)",
    "the the a": "(the (the a))",
    "not not a": "(not (not a))",
    # what reaches as far to the right as possible, also as a right operand
    "a and forall x in S: b and c": "(a and (forall Binding[x; S] where -: (b and c)))",
    "a => exists x in S: b => c": "(a => (exists Binding[x; S] where -: (b => c)))",
    "not forall x in S: a <=> b": "(not (forall Binding[x; S] where -: (a <=> b)))",
    "a == forall x in S: b": "(a == (forall Binding[x; S] where -: b))",
    "(forall x in S: a) and b": "((forall Binding[x; S] where -: a) and b)",
    "1 + if a then b else c + d": "(1 + Conditional[a; b; (c + d)])",
    "if a then b else if c then d else e": "Conditional[a; b; Conditional[c; d; e]]",
    "if if a then b else c then d else e": "Conditional[Conditional[a; b; c]; d; e]",
    "a == max x in S by x.k + 1": "(a == (max Binding[x; S] where - by (Dot[x; k] + 1)))",
    "max x in S union T == a": "((max Binding[x; (S union T)] where - by -) == a)",
    "min x in S where p(x) by f(x)": "(min Binding[x; S] where Apply[p; x] by Apply[f; x])",
    "forall x, y in S, z in T where a and b: c": "(forall Binding[x, y; S], Binding[z; T] where (a and b): c)",
    # postfixes
    "a.b[c].d(e)[..f].next": "Dot[Slice[Method[Subscript[Dot[a; b]; c]; d; e]; f]; next]",
    "f(a, g())": "Apply[f; a, Apply[g; ]]",
    "m.from == m.in": "(Dot[m; from] == Dot[m; in])",
    # sets, sequences, maps
    "{}": "SetDisplay[]",
    "{a, b}": "SetDisplay[a, b]",
    "{x in S | a or b}": "SetFilter[Binding[x; S]; (a or b)]",
    "{(x in S)}": "SetDisplay[(x in S)]",
    "{f(x) for x in S, y in T where a}": "SetImage[Apply[f; x]; Binding[x; S], Binding[y; T]; a]",
    "[]": "SeqDisplay[]",
    "[a, b]": "SeqDisplay[a, b]",
    "[k in K -> v]": "MapImage[Binding[k; K]; v]",
    # messages
    "sent M": "SentDomain[M; False]",
    "sent M(a, _)": "Sent[M; a, Wildcard[]; -; -; False]",
    "sent M() from a.b to c and d": "(Sent[M; ; Dot[a; b]; c; False] and d)",
    "sent M from a": "Sent[M; -; a; -; False]",
    "flying M": "SentDomain[M; True]",
    "flying M(a) to b": "Sent[M; a; -; b; True]",
    "flying and not flying N(a)": "(flying and (not Sent[N; a; -; -; True]))",
    "sent M to b": "Sent[M; -; -; b; False]",
    "sent M and not sent N(a)": "(SentDomain[M; False] and (not Sent[N; a; -; -; False]))",
    # domains
    "forall x in 1..n - 1: a": "(forall Binding[x; RangeType[1; (n - 1)]] where -: a)",
    "forall x in Set[V?]: a": "(forall Binding[x; GenericType[Set; OptionType[V]]] where -: a)",
    "forall x in V?: a": "(forall Binding[x; OptionType[V]] where -: a)",
    "{x in sent M | a}": "SetFilter[Binding[x; SentDomain[M; False]]; a]",
    "{x in Map[A, 0..2] | a}": "SetFilter[Binding[x; GenericType[Map; A, RangeType[0; 2]]]; a]",
    # words that are keywords elsewhere
    "max(max, min) < sent + check": "(Apply[max; max, min] < (sent + check))",
    "value.order == state.by and role[to]": "((Dot[value; order] == Dot[state; by]) and Subscript[role; to])",
    "57_436 + 007": "(57436 + 7)",
}  # fmt: skip


@pytest.mark.parametrize("text", GROUPED)
def test_grouping(text: str) -> None:
    assert shown(expression(text)) == GROUPED[text]


TYPES = {
    "Int": "Int",
    "Vote?": "OptionType[Vote]",
    "0..N - 1": "RangeType[0; (N - 1)]",
    "-N..2 * (N + 1)": "RangeType[(- N); (2 * (N + 1))]",
    "0..size(A)": "RangeType[0; Apply[size; A]]",
    "Map[A, Map[0..3, Set[B?]]]": (
        "GenericType[Map; A, GenericType[Map; RangeType[0; 3], GenericType[Set; OptionType[B]]]]"
    ),
    "Seq[Term, Vote]?": "OptionType[GenericType[Seq; Term, Vote]]",
    "List[A]": "GenericType[List; A]",
    "A??": "OptionType[OptionType[A]]",
}


@pytest.mark.parametrize("text", TYPES)
def test_types(text: str) -> None:
    assert shown(item(f"constant c: {text}").type) == TYPES[text]


# --- statements and declarations --------------------------------------------------------------------

STATEMENTS = {
    "x := 1": "AssignStatement[x; 1]",
    "log[i].term := a": "AssignStatement[Dot[Subscript[log; i]; term]; a]",
    "state := idle": "AssignStatement[state; idle]",
    "reset()": "CallStatement[reset; ]",
    "adopt(a, b)": "CallStatement[adopt; a, b]",
    "require a": "RequireStatement[a]",
    "let x = if a then b else c": "LetStatement[x; Conditional[a; b; c]]",
    "pick x, y in S where a": "PickStatement[Binding[x, y; S]; a]",
    "send M": "SendStatement[M; ; -; -; -; -]",
    "send M(a) from b to c": "SendStatement[M; a; b; c; -; -]",
    "send M from b": "SendStatement[M; ; b; -; -; -]",
    "send M(a) to each p in S where p != self": "SendStatement[M; a; -; -; Binding[p; S]; (p != self)]",
    "skip": "SkipStatement[]",
}


@pytest.mark.parametrize("text", STATEMENTS)
def test_statements(text: str) -> None:
    (statement,) = statements(text)
    assert shown(statement) == STATEMENTS[text]


def test_branches_of_an_if() -> None:
    (statement,) = statements(
        "if a", "    skip", "elif b", "    if c", "        x := 1", "else", "    x := 2", "    x := 3"
    )
    assert [shown(condition) for condition, _ in statement.branches] == ["a", "b"]
    assert [len(body) for _, body in statement.branches] == [1, 1]
    assert isinstance(statement.branches[1][1][0], s.IfStatement)
    assert len(statement.otherwise) == 2


DECLARATIONS = {
    "order Term from zero": "OrderItem[Term; True]",
    "order Ballot": "OrderItem[Ballot; False]",
    "quorum Q of A meets P, Q": "QuorumItem[Q; A; P, Q]",
    "enum E = a, b": "EnumItem[E; a, b]",
    "record R()": "RecordItem[R; ]",
    "record R(value: V, in: W)": "RecordItem[R; Parameter[value; V], Parameter[in; W]]",
    "message M": "MessageItem[M; ; -; -]",
    "message M(a: A) to R": "MessageItem[M; Parameter[a; A]; -; R]",
    "message M from S to R": "MessageItem[M; ; S; R]",
    "network lossy, fifo": "NetworkItem[lossy, fifo]",
    "assume a": "PropertyItem[assume; -; a]",
    "assume\n    a\n    b": "PropertyItem[assume; -; a, b]",
    "assume N\n    a": "PropertyItem[assume; N; a]",
    "state x: Int = any": "VariableItem[state; x; Int; -]",
    "ghost x: Int = any_other": "VariableItem[ghost; x; Int; any_other]",
    "role R": "RoleItem[R; ]",
    "timeout t\n    skip": "ActionItem[timeout; t; ; SkipStatement[]]",
    "procedure p()\n    skip": "ActionItem[procedure; p; ; SkipStatement[]]",
    "action a(x, y in S, z in T)\n    skip": "ActionItem[action; a; Binding[x, y; S], Binding[z; T]; SkipStatement[]]",
    "define d = a": "DefineItem[d; ; a]",
    "define d(x in S) =\n    a": "DefineItem[d; Binding[x; S]; a]",
    "after a\n    skip": "AfterItem[a; ; SkipStatement[]]",
    "after R.a(n, x)\n    skip": "AfterItem[R, a; n, x; SkipStatement[]]",
    "after R.on M(n, m)\n    skip": "AfterItem[R, on, M; n, m; SkipStatement[]]",
    "terminal\n    a": "PropertyItem[terminal; -; a]",
    "terminal T\n    a": "PropertyItem[terminal; T; a]",
    "step P\n    old(a) <= a\n    b": "PropertyItem[step; P; (Apply[old; a] <= a), b]",
    "proof P from A, B": "ProofItem[P; ; A, B]",
    "proof P by R.on M from A, B": "ProofItem[P; R, on, M; A, B]",
    "proof P\n    from A,\n        B\n    from C": "ProofItem[P; ; A, B, C]",
    "instance i": "InstanceItem[i; ]",
}


@pytest.mark.parametrize("text", DECLARATIONS)
def test_declarations(text: str) -> None:
    assert shown(item(text)) == DECLARATIONS[text]


INSTANCE_LINES = {
    "A = 3": "Setting[A; 3]",
    "Q = majority": "Setting[Q; majority]",
    "Q = 2 of A": "QuorumOfSize[Q; 2; A]",
    "Q = {a0, a1}, {a1, a2}": "QuorumListed[Q; a0, a1, a1, a2]",
    "Q = {a0}": "QuorumListed[Q; a0]",
    "S = {}": "Setting[S; SetDisplay[]]",
    "check = true": "Setting[check; true]",
    "crashes <= 1": "Limit[crashes; 1]",
    "check A, B": "CheckLine[A, B]",
    "allow deadlock": "AllowDeadlock[]",
    "expect states 57_436": "ExpectLine[states; -; 57436]",
    "expect violated P": "ExpectLine[violated; P; -]",
    "expect violated P after 1 step": "ExpectLine[violated; P; 1]",
    "expect violated P after 12 steps": "ExpectLine[violated; P; 12]",
    "expect unreachable R": "ExpectLine[unreachable; R; -]",
}


@pytest.mark.parametrize("text", INSTANCE_LINES)
def test_lines_of_an_instance(text: str) -> None:
    (line,) = item(f"instance i\n    {text}").lines
    assert shown(line) == INSTANCE_LINES[text]


def test_listed_quorums_are_kept_apart() -> None:
    (line,) = item("instance i\n    Q = {a0, a1}, {a2}").lines
    assert [[word.text for word in member] for member in line.members] == [["a0", "a1"], ["a2"]]


def test_members_of_a_role() -> None:
    text = """role R
    durable a: Int = 0
    volatile b: Int = 0
    ghost c: Int = 0
    on M(m)
        skip
    on N
        skip
    action d
        skip
    define e = a"""
    kinds = [type(member).__name__ for member in item(text).members]
    assert kinds == ["VariableItem"] * 3 + ["HandlerItem"] * 2 + ["ActionItem", "DefineItem"]
    assert [shown(member.parameter) for member in item(text).members[3:5]] == ["m", "-"]


# --- lines that go on -------------------------------------------------------------------------------

CONTINUED = [
    ("x := a +\n    b", "x := a + b"),
    ("x := a\n  + b", "x := a + b"),
    ("x := a\n        - b", "x := a - b"),
    ("x :=\n    a", "x := a"),
    ("x\n  := a", "x := a"),
    ("require a and\nb\n   or\nc", "require a and b or c"),
    ("require a\nand b\n  # a comment between\n\nand c", "require a and b and c"),
    ("require a\n => b", "require a => b"),
    ("require a\n not in b", "require a not in b"),
    ("require a not\n in b", "require a not in b"),
    ("require forall x in\n  S where\n a:\n b", "require forall x in S where a: b"),
    ("require forall x in S\n where a\n : b", "require forall x in S where a: b"),
    ("require forall x in S,\n y in T: b", "require forall x in S, y in T: b"),
    ("x := if a then\n  b\nelse\n c", "x := if a then b else c"),
    ("x := if a\n  then b\n  else c", "x := if a then b else c"),
    ("x := if a then b\nelse if c then d\nelse e", "x := if a then b else if c then d else e"),
    ("x := f(\na,\n     b\n)", "x := f(a, b)"),
    ("x := {y in S\n|\ny}", "x := {y in S | y}"),
    ("x := [\n\n# why\ny in S ->\n  z\n]", "x := [y in S -> z]"),
    ("x := (a\n- b)", "x := (a - b)"),
]


@pytest.mark.parametrize(("broken", "whole"), CONTINUED)
def test_lines_go_on(broken: str, whole: str) -> None:
    assert statements(*broken.split("\n")) == statements(whole)


def test_a_field_named_like_an_operator_ends_its_line() -> None:
    assert [shown(one) for one in statements("x := m.in", "y := m.where")] == [
        "AssignStatement[x; Dot[m; in]]",
        "AssignStatement[y; Dot[m; where]]",
    ]


def test_a_minus_begins_a_clause_unless_it_is_deeper() -> None:
    clauses = item("invariant P\n    -a < b\n    -c < d\n    e\n        - f < g").clauses
    assert list(map(shown, clauses)) == ["((- a) < b)", "((- c) < d)", "((e - f) < g)"]


def test_an_else_of_a_statement_does_not_continue_an_expression() -> None:
    (statement,) = statements("if a", "    x := if b then c else d", "else", "    skip")
    assert shown(statement.branches[0][1]) == "AssignStatement[x; Conditional[b; c; d]]"
    assert shown(statement.otherwise) == "SkipStatement[]"


@pytest.mark.parametrize("change", [
    lambda text: text.replace("\n", "\r\n"),
    lambda text: "\ufeff" + text,
    lambda text: text.rstrip("\n"),
    lambda text: text + "\n\n    \n   # the end",
    lambda text: text.replace("\n", "   # a comment: with ( and \" and \t\n"),
    lambda text: text.replace("    ", "  "),
    lambda text: text.replace(" = ", "  =\t"),
])  # fmt: skip
def test_what_does_not_matter(change: Any) -> None:
    text = (HERE / "paxos.spec").read_text(encoding="utf-8")
    assert parsed(change(text)) == parsed(text)


# --- whole files, and their places ------------------------------------------------------------------


def nodes(tree: object) -> Iterator[s.Tree]:
    if isinstance(tree, s.Tree):
        yield tree
        for part in fields(tree):
            yield from nodes(getattr(tree, part.name))
    elif isinstance(tree, tuple):
        for one in tree:
            yield from nodes(one)


def kinds_of_tree() -> set[str]:
    return {name for name, kind in vars(s).items() if isinstance(kind, type) and issubclass(kind, s.Tree)} - {"Tree"}


def test_everything_holds_every_kind_of_tree() -> None:
    file = parsed((HERE / "everything.spec").read_text(encoding="utf-8"))
    assert kinds_of_tree() - {type(node).__name__ for node in nodes(file)} == {"SpecHead", "Extends"}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_the_place_of_each_node_holds_its_text(path: Path) -> None:
    """The text at the place of an expression, type, statement or declaration, parsed alone, gives the same tree."""
    seen = 0
    for node in nodes(parsed(path.read_text(encoding="utf-8"))):
        text = node.span.text
        if isinstance(node, s.Word | s.Name) and not text.startswith("("):
            assert text == node.text
        elif type(node) in EXPRESSIONS and "#" not in text:
            assert expression(text) == node
            seen += 1
        elif isinstance(node, s.RangeType | s.OptionType | s.GenericType | s.NamedType):
            assert item(f"constant c: {text}").type == node
        elif isinstance(node, s.Binding):
            assert item(f"define d({text}) = a").parameters == (node,)
    assert seen > 10


EXPRESSIONS = (
    s.Number, s.Dot, s.Apply, s.Method, s.Subscript, s.Slice, s.Unary, s.Operation, s.Connective, s.Comparison,
    s.Conditional, s.Quantifier, s.SetFilter, s.SetImage, s.MapImage, s.SetDisplay, s.SeqDisplay, s.Extremum, s.Sent,
    s.SentDomain,
)  # fmt: skip


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_places_are_nested_and_in_order(path: Path) -> None:
    for node in nodes(parsed(path.read_text(encoding="utf-8"))):
        outer = node.span
        last = (outer.line, outer.column)
        for part in sorted(nodes_below(node), key=lambda one: (one.span.line, one.span.column)):
            inner = part.span
            assert last <= (inner.line, inner.column) <= (inner.end_line, inner.end_column)
            assert (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
            last = (inner.end_line, inner.end_column)


def nodes_below(node: s.Tree) -> Iterator[s.Tree]:
    todo: list[object] = [getattr(node, part.name) for part in fields(node)]
    while todo:
        one = todo.pop()
        if isinstance(one, s.Tree):
            yield one
        elif isinstance(one, tuple):
            todo.extend(one)


def test_places_of_some_nodes() -> None:
    text = "spec Test\nrole R\n    on M(m)\n        require (a\n            and b)\n        skip  # no more\n\nsort S\n"
    role = parsed(text)[0]
    assert isinstance(role, s.RoleItem)
    handler = role.members[0]
    assert isinstance(handler, s.HandlerItem)
    spans = [role.span, handler.span, handler.body[0].span, handler.body[1].span]
    assert [(one.line, one.column, one.end_line, one.end_column) for one in spans] == [
        (2, 1, 6, 13),
        (3, 5, 6, 13),
        (4, 9, 5, 19),
        (6, 9, 6, 13),
    ]


# --- limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [
    lambda n: "(" * n + "a" + ")" * n,
    lambda n: "not " * n + "a",
    lambda n: "a" + ".f" * n,
    lambda n: "a" + " + a" * n,
    lambda n: "a => " * n + "a",
    lambda n: "forall x in S: " * n + "a",
    lambda n: "if a then b else " * n + "a",
])  # fmt: skip
def test_what_is_just_deep_enough_is_taken(make: Any) -> None:
    limit = MAX_NESTING if make(1).startswith("(") else MAX_DEPTH
    assert expression(make(limit - 2))
    _, diagnostics = parse(Source("deep.spec", f"spec Test\nassume\n    {make(limit + 1)}\n"))
    assert [diagnostic.code for diagnostic in diagnostics] == ["Q0105"]


@pytest.mark.parametrize("word", ["and", "or", "<"])
def test_flat_chains_may_be_long(word: str) -> None:
    tree = expression(f" {word} ".join(["a"] * 5000))
    assert len(tree.items if word != "<" else tree.operands) == 5000


# --- files ------------------------------------------------------------------------------------------


def refused(path: str | Path) -> str:
    with pytest.raises(SpecError) as error:
        read_source(path)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.hint and str(path).split("\0")[0] in diagnostic.message
    return diagnostic.code


def test_reading_files(tmp_path: Path) -> None:
    path = tmp_path / "a.spec"
    path.write_bytes(b"\xef\xbb\xbfspec A\r\nsort \xc3\xa9\rsort B\n")
    assert read_source(path).text == "spec A\nsort é\nsort B\n"
    assert read_source(path).name == str(path)
    path.write_bytes(b"a" * MAX_BYTES)
    assert len(read_source(path).text) == MAX_BYTES


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.spec") == "Q0701"
    assert refused(tmp_path / "no" / "none.spec") == "Q0701"
    assert refused(tmp_path) == "Q0702"
    path = tmp_path / "a.spec"
    path.write_bytes(b"spec A\nsort \xff\n")
    assert refused(path) == "Q0703"
    path.write_bytes(b"spec A\n\0\n")
    assert refused(path) == "Q0703"
    path.write_bytes(b"a" * (MAX_BYTES + 1))
    assert refused(path) == "Q0704"
    assert refused(path / "below") == "Q0705"
    assert refused("a" * 5000) == "Q0705"
    assert refused("a\0b") == "Q0705"


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "paxos.spec").write_text("spec A\n")
    with pytest.raises(SpecError) as error:
        read_source(tmp_path / "paxo.spec")
    assert "`paxos.spec`" in str(error.value.diagnostics[0].hint)


# --- the cache of tables ----------------------------------------------------------------------------


def run_with_cache(cache: Path) -> float:
    """Parses in a process of its own; the seconds that making or loading the tables took."""
    program = (
        "import time; from checker.language import parser; start = time.perf_counter(); parser._grammar();"
        "seconds = time.perf_counter() - start; from checker.source import Source;"
        "file, found = parser.parse(Source('a', 'spec A\\nsort B\\n')); assert not found and len(file.items) == 2;"
        "print(seconds)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    return float(done.stdout)


def test_tables_are_cached_and_a_damaged_cache_is_replaced(tmp_path: Path) -> None:
    cold = run_with_cache(tmp_path)
    (cached,) = (tmp_path / "quorate").iterdir()
    good = cached.read_bytes()
    assert run_with_cache(tmp_path) < cold
    for damaged in (b"", good[:1000], good[:-1], good[:5000] + b"?" + good[5001:], b"\x80" * 100):
        cached.write_bytes(damaged)
        run_with_cache(tmp_path)
        content = cached.read_bytes()
        assert content != damaged and hashlib.sha256(content[32:]).digest() == content[:32]
    assert list((tmp_path / "quorate").iterdir()) == [cached]


def test_no_cache_is_no_problem(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a directory")
    run_with_cache(occupied)
    assert occupied.read_text() == "not a directory"

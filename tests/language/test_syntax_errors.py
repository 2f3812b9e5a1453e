"""What the parser says of broken texts: which code, where, in what words; and that it always says something."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checker.explain import page
from checker.language import syntax as s
from checker.language.parser import MAX_ERRORS, parse
from checker.source import Diagnostic, Source

HERE = Path(__file__).parent


def errors(text: str) -> tuple[Diagnostic, ...]:
    return parse(Source("test.spec", text))[1]


def told(text: str) -> list[str]:
    """Each error as `line:column text code: message; hint`."""
    found = []
    for diagnostic in errors(text):
        assert diagnostic.span is not None
        place = f"{diagnostic.span.line}:{diagnostic.span.column} {diagnostic.span.text}".rstrip()
        found.append(f"{place} {diagnostic.code}: {diagnostic.message}; {diagnostic.hint}")
    return found


def the_error(text: str) -> str:
    """The one error in declarations after `spec Test`; lines are counted from the first of them."""
    (only,) = told(f"spec Test\n{text}\n")
    line, rest = only.split(":", 1)
    return f"{int(line) - 1}:{rest}"


# In formulas, at the second line of an `assume`; in statements, at the second line of an `action`.
FORMULAS = {
    "a and": "10 Q0101: the line ends too early: expected an expression after `and`; complete the expression",
    "a and and b": "11 and Q0101: unexpected `and`: expected an expression after `and`",
    "a b": "7 b Q0101: unexpected `b`: expected the end of the line or an operator after `a`; delete `b`",
    "a = b": "7 = Q0104: `=` defines, it does not compare; write `==`",
    "a := b": "7 := Q0104: `:=` assigns, and a formula assigns nothing; write `==`",
    "a && b": "7 && Q0103: `&&` is not a symbol of the language; write `and`",
    "a || b": "7 || Q0103: `||` is not a symbol of the language; write `or`",
    "!a": "5 ! Q0103: `!` is not a symbol of the language; write `not`",
    "a <> b": "7 <> Q0103: `<>` is not a symbol of the language; write `!=`",
    "a =< b": "7 =< Q0103: `=<` is not a symbol of the language; write `<=`",
    "a === b": "7 === Q0103: `===` is not a symbol of the language; write `==`",
    "a \u2264 b": "7 \u2264 Q0103: `\u2264` is not a symbol of the language; write `<=`",
    "a / b": "7 / Q0103: `/` is not a symbol of the language; there is no division",
    'a == "b"': '10 "b" Q0103: there are no strings; declare an `enum`',
    "a' == b": "6 ' Q0103: there are no primes; `:=` assigns",
    "a\u00a0== b": "6 Q0103: there is an invisible character here (no-break space); delete it",
    "a\0b": "6 \0 Q0103: there is an invisible character here (control character 0)",
    "3x": "5 3x Q0103: `3x` is neither a number nor a name",
    "1_000_000_000_000_000_000 > a": "5 1_000_000_000_000_000_000 Q0108: this number has more than 18 digits",
    "3.5 < a": "7 5 Q0101: numbers are integers",
    "a == not b": "10 not Q0101: `not` after `==` needs parentheses; write `== (not …)`",
    "a -> b": "7 -> Q0101: `->` is no operator; an implication is written `=>`",
    "a | b": "7 | Q0101: `|` is no operator; write `or`",
    "a ? b : c": "7 ? Q0101: `?` is no operator; a choice is written `if c then a else b`",
    "a in 1..3": "11 .. Q0101: a range is no value; write `low <= x and x <= high`",
    "if a then b": "16 Q0101: the line ends too early: expected `else` or an operator after `b`; `if` is written",
    "if a b else c": "10 b Q0101: unexpected `b`: expected `then` or an operator after `a`; `if` is written like this",
    "forall a in B c": "19 c Q0101: unexpected `c`: expected `:` after `B`; `forall` is written like this",
    "forall a: c": "13 : Q0101: unexpected `:`: expected `,` or `in` after `a`; `forall` is written like this",
    "forall a in: c": "16 : Q0101: unexpected `:`: expected a type or a set after `in`; `forall`",
    "forall in B: c": "12 in Q0101: `in` is a reserved word and cannot be a name here; choose another name",
    "max x of D": "11 of Q0101: unexpected `of`: expected `,` or `in` after `x`; `max` is written",
    "{x in D: y}": "12 : Q0101: unexpected `:`: expected `|` after `D`; brackets are written like this: `{a, b}`",
    "[k in K: y]": "12 : Q0101: unexpected `:`: expected `->` after `K`; brackets are written like this: `[a, b]`",
    "f(a b)": "9 b Q0101: unexpected `b`: expected `,` or `)` or an operator after `a`",
    "f(a,)": "9 ) Q0101: unexpected `)`: expected an expression after `,`; complete the expression, or delete `,`",
    "a.b.(c)": "9 ( Q0101: unexpected `(`: expected a name after `.`",
    "f(a, b": "6 ( Q0109: `(` is never closed; put the missing `)`",
    "f(a, b))": "12 ) Q0109: `)` closes nothing; delete it",
    "f(a, b]": "11 ] Q0109: `]` closes what `(` opened; close it with `)`",
}  # fmt: skip
STATEMENTS = {
    "x = 3": "7 = Q0104: `=` defines, it does not assign; write `:=`",
    "x == 3": "7 == Q0104: `==` compares, and a comparison alone is no statement; write `:=`",
    "x <- 3": "5 x <- 3 Q0111: a formula alone is no statement; write `:=` to assign",
    "x + 1": "5 x + 1 Q0111: a formula alone is no statement; begin it with `require`",
    "forall x in S: y": "5 forall x in S: y Q0111: a formula alone is no statement; begin it with `require`",
    "not x": "5 not x Q0111: a formula alone is no statement",
    "x, y := 1": "6 , Q0111: an assignment has one target",
    "f(x) := 1": "5 f(x) Q0111: `f(x)` is nothing that can be assigned to; assign to a variable",
    "reset": "5 reset Q0111: `reset` alone is no statement; a procedure is called with parentheses: `reset()`",
    "x.y": "5 x.y Q0111: `x.y` alone is no statement; a statement assigns",
    "let x := 3": "11 := Q0104: `let` gives a value with `=`; write `=`",
    "let x == 3": "11 == Q0104: `let` gives a value with `=`; write `=`",
    "let 3 = x": "9 3 Q0101: unexpected `3`: expected a name after `let`; `let` is written like this",
    "requires x": "5 requires Q0106: `requires` begins no statement; did you mean `require`?",
    "while x": "5 while Q0106: `while` begins no statement; there are no loops",
    "action b": "5 action Q0106: `action` begins no statement; `action` begins a declaration: let it begin at the left",
    "require": "12 Q0101: the line ends too early: expected an expression after `require`; `require` is written",
    "send M x": "12 x Q0101: unexpected `x`: expected the end of the line, `(`, `from` or `to` after `M`; `send`",
    "pick x in S: y": "16 : Q0101: unexpected `:`: expected the end of the line after `S`; `pick` is written like this",
    "skip x": "10 x Q0101: unexpected `x`: expected the end of the line after `skip`; `skip` is written like this",
    "else": "5 else Q0101: `else` without an `if` before it; align it with its `if`",
    "if x": "5 if x Q0112: `if` has no block; indent the lines",
    "if x then y := 3": "10 then Q0101: an `if` with a block takes no `then`; delete it",
    "if x then\n        skip\n    else\n        skip": "10 then Q0101: an `if` with a block takes no `then`; delete it",
    "if x: skip": "9 : Q0110: the head of a block takes no colon; delete it, and put what follows",
}  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_errors_in_formulas(text: str) -> None:
    assert the_error(f"assume\n    {text}").startswith(f"2:{FORMULAS[text]}")


@pytest.mark.parametrize("text", STATEMENTS)
def test_errors_in_statements(text: str) -> None:
    assert the_error(f"action a\n    {text}").startswith(f"2:{STATEMENTS[text]}")


DECLARATIONS = {
    "invarient X\n    true": "1:1 invarient Q0106: `invarient` begins no declaration; did you mean `invariant`?",
    "import Foo": "1:1 import Q0106: `import` begins no declaration; a spec builds on another by",
    "require x": "1:1 require Q0106: `require` begins no declaration; `require` begins a statement: indent it below",
    "durable x: Int = 3": "1:1 durable Q0106: `durable` begins no declaration; `durable` belongs into the block of a",
    "x := 3": "1:1 x Q0106: `x` begins no declaration; declarations begin with a word",
    "3": "1:1 3 Q0106: this is no declaration; declarations begin with a word",
    "state x: Int := 0": "1:14 := Q0104: `state` gives a value with `=`",
    "state x Int = 0": "1:9 Int Q0101: unexpected `Int`: expected `:` after `x`; `state` is written like this",
    "state x: Int": "1:13 Q0101: `x` has no initial value; add `= value`, or `= any`",
    "state x: = 3": "1:10 = Q0101: unexpected `=`: expected a type after `:`",
    "state x: 0.. = 3": "1:14 = Q0101: unexpected `=`: expected a number after `..`",
    "state x: Set[Int = 3": "1:13 [ Q0109: `[` is never closed",
    "state union: Int = 3": "1:7 union Q0101: `union` is a reserved word and cannot be a name here",
    "quorum Q off A": "1:10 off Q0101: unexpected `off`: expected `of` after `Q`; `quorum` is written like this",
    "record R": "1:9 Q0101: the line ends too early: expected `(` after `R`",
    "record R(a: Int b: Int)": "1:17 b Q0101: unexpected `b`: expected `,` or `)` after `Int`; `record` is written",
    "message M(a: Int,)": "1:18 ) Q0101: unexpected `)`: expected a name after `,`",
    "message M to A from B": "1:16 from Q0101: unexpected `from`: expected the end of the line after `A`",
    "enum E = 3": "1:10 3 Q0101: unexpected `3`: expected a name after `=`",
    "network lossy fifo": "1:15 fifo Q0101: unexpected `fifo`: expected the end of the line or `,` after `lossy`",
    "define f(x: S) = y": "1:11 : Q0101: a parameter says `in`, not `:`; write `x in …`",
    "define f(x in S)\n    y": "1:17 Q0101: the line ends too early: expected `=` after `)`; `define` is written",
    "sort A B": "1:8 B Q0101: unexpected `B`: expected the end of the line after `A`",
    "sort A\n    sort B": "2:5 Q0102: unexpected indentation: `sort` opens no block here; align it",
    "action a:\n    skip": "1:9 : Q0110: the head of a block takes no colon",
    "invariant X: a": "1:12 : Q0110: the head of a block takes no colon",
    "action a": "1:1 action a Q0112: `action a` has no block; indent",
    "action a\nskip\nskip": "1:1 action a Q0112: `action a` has no block",
    "action a\n\tskip\n\tskip": "2:1 Q0102: a tab indents this line (and another line of this file); indent with spac",
    "action a\n    skip\n  skip": "3:3 skip Q0102: this line begins at column 3, the other lines of its block at 5",
    "action a\n    skip\n      skip": "3:7 Q0102: unexpected indentation: `skip` opens no block here",
    "action a\n    if x\n        skip\n    else if y\n        skip": "4:10 if Q0101: `else if` is written as one word",
    "lemma\n    true": "1:6 Q0101: the line ends too early: expected a name after `lemma`; `lemma` is written like th",
    "assume a > 3\n    b": "2:5 b Q0101: an `assume` with a formula on its line has no block",
    "proof X\n    A": "2:5 A Q0106: `A` begins no line of a proof; a proof names what it rests on",
    "role R\n    state x: Int = 3": "2:5 state Q0106: `state` begins no member of a role; a field of a role is `durab",
    "role R\n    on M\n        skip\n    onn N\n        skip": "4:5 onn Q0106: `onn` begins no member of a role; did",
    "instance i\n    A 3": "2:7 3 Q0101: unexpected `3`: expected `=` or `<=` after `A`",
    "instance i\n    A := 3": "2:7 := Q0104: `A` gives a value with `=`",
    "instance i\n    expects states 3": "2:5 expects Q0106: `expects` begins no line of an instance; did you mean `ex",
    "instance i\n    expect state 3": "2:12 state Q0101: unexpected `state`: expected `states`, `unreachable` or `vio",
    "instance i\n    Q = {a}, 3": "2:14 3 Q0101: only quorums have several values",
    "replace": "1:8 Q0101: the line ends too early: expected `action`, `after`",
    "replace instance i": "1:9 instance Q0101: unexpected `instance`: expected ",
    "role R\n    replace action a": "2:5 replace action a Q0112: `replace action` has no block",
    "role R\n    replace action a\n        x = 3": "3:11 = Q0104: `=` defines, it does not assign",
    "spec Again": "1:1 spec Q0107: a second `spec` in this file; one file holds one spec",
}  # fmt: skip


@pytest.mark.parametrize("text", DECLARATIONS)
def test_errors_in_declarations(text: str) -> None:
    assert the_error(text).startswith(DECLARATIONS[text])


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "1:1", "the file declares nothing"),
        ("\n  # only a comment\n", "1:1", "the file declares nothing"),
        ("sort A\n", "1:1 sort", "the file does not begin with `spec` and a name"),
        ("sort A\nspec B\n", "2:1 spec", "`spec` is not the first declaration"),
    ],
)
def test_files_without_a_head(text: str, place: str, message: str) -> None:
    (only,) = told(text)
    assert only.startswith(f"{place} Q0107: {message}")


def test_a_misspelt_head_is_reported_once() -> None:
    (only,) = told("spek A\nsort B\n")
    assert "did you mean `spec`?" in only


def test_every_error_of_a_file_is_found_in_one_run() -> None:
    text = """spec Test
state x Int = 0
role R
    durable a: Int
    on M(m)
        require a = 1
        if a == 1
            b == 2
        elif a && b
            skip
        else
            c := := 3
        skip
    actoin b
        skip
action a
    forall
invariant P
    a and and
    b
    c d
instance i
    A 3
    B = 3
    expect
sort A
"""
    assert [line.split(" ")[0] for line in told(text)] == [
        "2:9", "4:19", "6:19", "8:15", "9:16", "12:18", "14:5", "17:5", "19:11", "21:7", "23:7", "25:11",
    ]  # fmt: skip


def test_an_open_bracket_does_not_swallow_the_rest() -> None:
    text = "spec A\naction a\n    x := (1 +\n    require b c\nsort B\nstate y: Set[Int = 0\nsort C D\n"
    assert [line.split(" ")[0] for line in told(text)] == ["3:10", "4:15", "6:13", "7:8"]


def test_what_can_be_parsed_is_kept_and_the_rest_is_named() -> None:
    text = """spec Test
sort A
state lost: Wrong Int = here
role R
    durable kept: Int = 0
    on M(m)
        inner := := 1
    on N
        other := 1
action gone
    require x = y
action b
    skip
"""
    file, _ = parse(Source("test.spec", text))
    assert [type(item).__name__ for item in file.items] == ["SpecHead", "SortItem", "RoleItem", "ActionItem"]
    role = file.items[2]
    assert isinstance(role, s.RoleItem)
    assert [type(member).__name__ for member in role.members] == ["VariableItem", "HandlerItem"]
    assert file.broken >= {"lost", "Wrong", "here", "M", "m", "inner", "gone", "x", "y"}
    assert not file.broken & {"A", "R", "kept", "N", "other", "b"}


def test_a_role_with_a_broken_head_is_dropped() -> None:
    file, _ = parse(Source("test.spec", "spec A\nrole R S\n    durable x: Int = 0\n"))
    assert len(file.items) == 1 and file.broken >= {"R", "x"}


def test_the_pages_of_all_codes_hold_for_the_parser_alone() -> None:
    for code in (f"Q01{number:02}" for number in range(1, 13)):
        examples = dict(page(code).examples)
        assert {diagnostic.code for diagnostic in errors(examples["spec"])} == {code}
        assert not errors(examples["spec ok"])


# --- whatever is thrown at it -----------------------------------------------------------------------


def formula(text: str) -> str:
    return f"spec A\nassume\n    {text}\n"


HOSTILE: dict[str, tuple[Callable[[], str], str | None]] = {
    "parentheses": (lambda: formula("(" * 10_000 + "x" + ")" * 10_000), "Q0105"),
    "open parentheses": (lambda: formula("(" * 10_000), "Q0105"),
    "closing parentheses": (lambda: formula(")" * 10_000), "Q0109"),
    "not": (lambda: formula("not " * 10_000 + "x"), "Q0105"),
    "minus": (lambda: formula("-" * 10_000 + "x"), "Q0105"),
    "conditionals": (lambda: formula("if a then b else " * 2_000 + "x"), "Q0105"),
    "unfinished conditionals": (lambda: formula("if " * 10_000 + "x"), "Q0101"),
    "sums": (lambda: formula("1 + " * 9_000 + "1"), "Q0105"),
    "long sums": (lambda: formula("1 + " * 100_000 + "1"), "Q0105"),
    "implications": (lambda: formula("a => " * 9_000 + "a"), "Q0105"),
    "long conjunctions": (lambda: formula("a and " * 100_000 + "a"), "Q0105"),
    "fields": (lambda: formula("a" + ".b" * 9_000), "Q0105"),
    "question marks": (lambda: "spec A\nconstant c: A" + "?" * 10_000, "Q0105"),
    "types": (lambda: "spec A\nconstant c: " + "Set[" * 5_000 + "A" + "]" * 5_000, "Q0105"),
    "indentation": (lambda: "spec A\naction a\n" + "".join(" " * n + "if x\n" for n in range(1, 2_000)), "Q0105"),
    "one long name": (lambda: formula("x" * 1_000_000), None),
    "one long number": (lambda: formula("1" * 1_000_000), "Q0108"),
    "one long string": (lambda: formula('"' + "x" * 1_000_000), "Q0103"),
    "one long line of junk": (lambda: formula("$" * 1_000_000), "Q0103"),
    "one long line of words": (lambda: formula("x " * 300_000), "Q0105"),
    "zero bytes": (lambda: "\0" * 100_000, "Q0103"),
    "many wrong lines": (lambda: "spec A\n" + "foo bar\n" * 100_000, "Q0106"),
    "many lines after an else": (lambda: formula("if a then b\n" + "else if a then b\n" * 50_000 + "else c"), "Q0105"),
    "carriage returns": (lambda: "spec A\rsort B\r", "Q0101"),
    "noise": (lambda: "".join(map(chr, random.Random(1).choices(range(0xD800), k=100_000))), "Q0103"),
    "bytes": (lambda: bytes(random.Random(1).choices(range(256), k=100_000)).decode("latin-1"), "Q0103"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_answered_soon(name: str) -> None:
    make, code = HOSTILE[name]
    text = make()
    start = time.process_time()
    found = errors(text)
    assert time.process_time() - start < 15
    assert len(found) <= MAX_ERRORS
    assert code in {diagnostic.code for diagnostic in found} if code else not found
    for diagnostic in found:
        assert len(diagnostic.render()) < 5_000


TEXTS = [(HERE / name).read_text(encoding="utf-8") for name in ("everything.spec", "paxos.spec")]
PIECES = [
    "(", ")", "[", "]", "{", "}", ",", ":", ":=", "=", "==", "=>", "->", "|", "..", ".", "?", "-", "_", "&&", '"', "'",
    "\t", "\n", "\n    ", "\n        ", "  ", "#", "\0", "é", "0", "99999999999999999999", "and", "or", "not", "in",
    "if",
    "then", "else", "elif", "forall", "exists", "max", "sent", "the", "where", "by", "for", "from", "to", "each", "of",
    "state", "role", "on", "action", "define", "invariant", "instance", "require", "let", "send", "skip", "spec", "x",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A correct spec, or a part of it, with a few pieces deleted, doubled, swapped or inserted."""
    text = draw(st.sampled_from(TEXTS))
    lines = text.split("\n")
    first = draw(st.integers(0, len(lines) - 1))
    text = "\n".join(lines[first : first + draw(st.integers(1, 40))])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        size = draw(st.integers(0, 12))
        piece = text[at : at + size]
        match draw(st.sampled_from(["delete", "double", "insert", "swap", "cut"])):
            case "delete":
                text = text[:at] + text[at + size :]
            case "double":
                text = text[:at] + piece + text[at:]
            case "insert":
                text = f"{text[:at]} {draw(st.sampled_from(PIECES))} {text[at:]}"
            case "swap":
                other = draw(st.integers(0, len(text)))
                low, high = sorted((at, other))
                text = text[:low] + text[high : high + size] + text[low + size : high] + piece + text[high + size :]
            case _:
                text = text[:at]
    return text


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(damaged(), st.booleans())
def test_damaged_specs_give_trees_or_errors_only(text: str, with_head: bool) -> None:
    source = Source("damaged.spec", "spec Damaged\n" + text if with_head else text)
    file, found = parse(source)
    assert file.items or found
    for diagnostic in found:
        span = diagnostic.span
        assert diagnostic.code.startswith("Q01") and diagnostic.message and diagnostic.hint and span is not None
        assert 1 <= span.line <= span.end_line <= len(source.lines)
        assert 1 <= span.column <= len(source.line(span.line)) + 1
        assert diagnostic.render()
    assert len({(d.code, d.span.line, d.span.column) for d in found if d.span}) == len(found), "the same thing twice"

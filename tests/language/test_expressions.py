"""The typed form of expressions: types flow both ways, and every conversion is written out."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from typed import all_uids, clauses, parts, shown, spec

from checker.language import ir
from checker.language import types as t
from checker.language.traverse import children
from checker.language.types import erased

ROOT = Path(__file__).parent.parent.parent
SPECS = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in sorted((ROOT / "specs").rglob("*.spec"))}
BLOCKS = re.findall(r"^```spec\n(.*?)^```", (ROOT / "docs/language.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
ALL = {**SPECS, **{f"docs {i}": block for i, block in enumerate(BLOCKS)}}

STATE = """
spec State
sort Node
sort Value
order Ballot from zero
quorum Quorum of Node
record Vote(ballot: Ballot, value: Value)
record Box(vote: Vote?, nodes: Set[Node], many: Set[Ballot?])
message Ping(last: Ballot?, count: 0..3) from Node to Node
network lossy, duplicating, reordering
constant start: 0..3
state ballot: Ballot = zero
state best: Ballot? = none
state nodes: Set[Node] = {}
state log: Seq[Ballot, Vote] = []
state numbers: Seq[0..3, 0..3?] = []
state votes: Map[Node, Vote?] = [n in Node -> none]
state box: Box? = none
state count: 0..3 = 0
define is_best(b in Ballot?) = b == best
invariant I
    forall n in Node, v in Value, q in Quorum: {clause}
"""


def typed(clause: str) -> str:
    """The body of the clause, in which `n`, `v` and `q` are bound."""
    (found,) = clauses(spec(STATE.replace("{clause}", clause)), "I")
    return found.removeprefix("(forall n in Node, v in Value, q in Quorum: ").removesuffix(")")


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        # an option and a value, either way round
        ("best == ballot", "(best == some ballot)"),
        ("ballot == best", "(some ballot == best)"),
        ("best < ballot", "(best < some ballot)"),
        ("zero <= best", "(some Ballot#0 <= best)"),
        ("best == none", "(best == none)"),
        ("none != best", "(none != best)"),
        ("is_best(ballot) and is_best(none)", "(is_best(some ballot) and is_best(none))"),
        ("ballot in box.many", "(some ballot in box!.many)"),
        ("none in box.many", "(none in box!.many)"),
        # the type of one side from the other
        ("ballot == zero", "(ballot == Ballot#0)"),
        ("zero == ballot", "(Ballot#0 == ballot)"),
        ("zero == count and count == zero", "((0 == count) and (count == 0))"),
        ("{} == nodes", "({} == nodes)"),
        ("[] == log", "([] == log)"),
        ("log == [Vote(zero, v)]", "(log == [Vote(Ballot#0, v)])"),
        ("append([], Vote(zero, v)) == log", "(Append([], Vote(Ballot#0, v)) == log)"),
        ("log[..zero] == []", "(Prefix(log, Ballot#0) == [])"),
        ("n in {}", "(n in {})"),
        ("{none, ballot} == box.many", "({none, some ballot} == box!.many)"),
        ("{none, ballot} == {none}", "({none, some ballot} == {none})"),
        ("{ballot} == box.many", "({some ballot} == box!.many)"),
        ("{b for b in {ballot}} == box.many", "({some b for b in {ballot}} == box!.many)"),
        ("box.many == {b for b in Ballot}", "(box!.many == {some b for b in Ballot})"),
        ("votes == [m in Node -> none]", "(votes == [m in Node -> none])"),
        ("[m in Node -> Vote(zero, v)] == votes", "([m in Node -> some Vote(Ballot#0, v)] == votes)"),
        ("numbers == [1, none]", "(numbers == [some 1, none])"),
        # branches
        ("(if n in nodes then none else ballot) == best", "((if (n in nodes) then none else some ballot) == best)"),
        ("(if n in nodes then ballot else none) == best", "((if (n in nodes) then some ballot else none) == best)"),
        ("best == (if n in nodes then none else none)", "(best == (if (n in nodes) then none else none))"),
        ("(if n in nodes then zero else zero) == ballot", "((if (n in nodes) then Ballot#0 else Ballot#0) == ballot)"),
        ("(if n in nodes then {} else nodes) == q union {}", None),
        # reading through options
        ("votes[n].ballot == zero", "(votes[n]!.ballot == Ballot#0)"),
        ("box.vote.value == v", "(box!.vote!.value == v)"),
        ("best.next == ballot", "(Next(best!) == ballot)"),
        ("the best == ballot.prev", "(best! == Previous(ballot))"),
        # sequences and sizes
        ("log[length(log)].value == v", "(log[Length(log)].value == v)"),
        ("length(numbers) + 1 < start", "((Length(numbers) + 1) < start)"),
        ("size(nodes) + size(q) < size(Node)", "((Size(nodes) + Size(q)) < Size(Node))"),
        # chains, logic, arithmetic
        ("zero < ballot <= ballot.next", "((Ballot#0 < ballot) and (ballot <= Next(ballot)))"),
        ("n not in q and not n in q", "(Not((n in q)) and Not((n in q)))"),
        ("-count < 3 - -1", "((0 - count) < (3 - (0 - 1)))"),
        ("max(zero, ballot) == ballot", "((if (Ballot#0 >= ballot) then Ballot#0 else ballot) == ballot)"),
        ("min(best, ballot) == best", "((if (best <= some ballot) then best else some ballot) == best)"),
        # quorums as sets
        ("q subset nodes", "({member for member in q} subset nodes)"),
        ("nodes minus q == {}", "((nodes minus {member for member in q}) == {})"),
        ("{} union q == nodes", "(({} union {member for member in q}) == nodes)"),
        # comprehensions and extremes
        ("{m in q | m in nodes} == {}", "({m for m in q where (m in nodes)} == {})"),
        ("(max b in Ballot where b < ballot) == zero", "((max b in Ballot where (b < ballot) by b) == Ballot#0)"),
        ("(min w in {Vote(zero, v)} by w.ballot).value == v", None),
        # what was sent
        ("sent Ping(_, 1) from n to _", "match sent Ping (_, 1, n, _)"),
        ("sent Ping(ballot, _)", "match sent Ping (some ballot, _, _, _)"),
        ("sent Ping(none, count) to n", "match sent Ping (none, count, _, n)"),
        ("sent Ping from n", "match sent Ping (_, _, n, _)"),
        ("exists m in sent Ping: m.from == m.to", "(exists m in sent Ping: (m.from == m.to))"),
        ("sent Ping == {}", "(sent Ping == {})"),
    ],
)
def test_expressions(clause: str, expected: str | None) -> None:
    if expected is not None:
        assert typed(clause) == expected
    else:
        assert typed(clause)


def test_expressions_have_types_without_ranges() -> None:
    of = spec(STATE.replace("{clause}", "count + start == 3 and numbers[1] == 2 and votes[n] == none"))
    todo = [*parts(of).expressions]
    while todo:
        expr = todo.pop()
        todo += children(expr)
        assert not isinstance(expr.type, t.Range), shown(expr)
        assert not isinstance(expr.type, t.Option) or not isinstance(expr.type.item, t.Range), shown(expr)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("network", ["declared", "set"])
def test_bound_names_are_unique_and_operands_fit(name: str, network: str) -> None:
    of = spec(ALL[name], "set" if network == "set" else "declared")
    repeated = [uid for uid, count in Counter(all_uids(of)).items() if count > 1]
    assert not repeated
    todo = [*parts(of).expressions]
    while todo:
        expr = todo.pop()
        todo += children(expr)
        match expr:
            case ir.Binary(operator="==" | "!=" | "<" | "<=" | ">" | ">=" | "union" | "intersect" | "minus" | "subset"):
                assert erased(expr.left.type) == erased(expr.right.type), shown(expr)
            case ir.If():
                assert erased(expr.then.type) == erased(expr.otherwise.type) == erased(expr.type)
            case ir.Lift():
                assert isinstance(expr.type, t.Option) and erased(expr.type.item) == erased(expr.operand.type)
            case ir.Unwrap():
                assert isinstance(expr.operand.type, t.Option)
            case ir.WithAt():
                assert isinstance(expr.type, t.Map | t.Seq)
                item = expr.type.value if isinstance(expr.type, t.Map) else expr.type.item
                assert erased(item) == erased(expr.value.type), shown(expr)

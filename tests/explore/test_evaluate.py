"""Expressions mean what Python's own operators mean: random formulas are written twice, evaluated twice, compared."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from exploring import interpreter_of
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.explore.faults import Fault
from checker.explore.interpreter import Interpreter, State

HEAD = """
state a: 0..3 = any
state b: 0..3 = any
state s: Set[0..3] = {}
state o: 0..3? = none
state q: Seq[0..3, 0..3] = []
action skip_
    skip
"""
Meaning = Callable[[dict[str, Any]], Any]
Formula = tuple[str, Meaning]


def leaf(text: str) -> Formula:
    return text, lambda env: env[text]


def constant(value: int) -> Formula:
    return str(value), lambda env: value


def both(sign: str, meaning: Callable[[Any, Any], Any]) -> Callable[[tuple[Formula, Formula]], Formula]:
    return lambda pair: (
        f"({pair[0][0]} {sign} {pair[1][0]})",
        lambda env: meaning(pair[0][1](env), pair[1][1](env)),
    )


def below(x: int | None, y: int | None) -> bool:
    return (-math.inf if x is None else x) < (-math.inf if y is None else y)


def bound(text: str, meaning: Callable[[list[tuple[int, Any]]], Any]) -> Callable[[tuple[str, Formula]], Formula]:
    """A binder over 0..3: `text` has places for the name and the body."""

    def formula(given: tuple[str, Formula]) -> Formula:
        name, (body, value) = given
        return text.format(name=name, body=body), lambda env: meaning([(i, value({**env, name: i})) for i in range(4)])

    return formula


@st.composite
def formulas(draw: st.DrawFn, kind: str, names: tuple[str, ...] = (), depth: int = 3) -> Formula:
    """A formula of a kind (`int`, `bool`, `set`) over the variables and the bound names."""

    def sub(kind: str, extra: tuple[str, ...] = ()) -> st.SearchStrategy[Formula]:
        return formulas(kind, names + extra, depth - 1)

    fresh = f"x{len(names)}"
    leaves = {
        "int": [st.sampled_from([leaf("a"), leaf("b"), *map(leaf, names)]), st.integers(0, 5).map(constant)],
        "bool": [st.sampled_from([("true", lambda env: True), ("false", lambda env: False)])],
        "set": [st.just(leaf("s")), st.just(("{a, b}", lambda env: frozenset({env["a"], env["b"]})))],
    }
    if depth == 0:
        return draw(st.one_of(leaves[kind]))
    ints, sets, bools = (
        st.tuples(sub("int"), sub("int")),
        st.tuples(sub("set"), sub("set")),
        st.tuples(sub("bool"), sub("bool")),
    )
    inner = st.tuples(st.just(fresh), sub("bool", (fresh,)))
    compound: dict[str, list[st.SearchStrategy[Formula]]] = {
        "int": [
            ints.map(both("+", lambda x, y: x + y)),
            ints.map(both("-", lambda x, y: x - y)),
            ints.map(both("*", lambda x, y: x * y)),
            ints.map(lambda p: (f"max({p[0][0]}, {p[1][0]})", lambda env: max(p[0][1](env), p[1][1](env)))),
            ints.map(lambda p: (f"min({p[0][0]}, {p[1][0]})", lambda env: min(p[0][1](env), p[1][1](env)))),
            sub("set").map(lambda f: (f"size({f[0]})", lambda env: len(f[1](env)))),
            st.tuples(sub("bool"), sub("int"), sub("int")).map(
                lambda f: (
                    f"(if {f[0][0]} then {f[1][0]} else {f[2][0]})",
                    lambda env: f[1][1](env) if f[0][1](env) else f[2][1](env),
                )
            ),
        ],
        "bool": [
            ints.map(both("<", lambda x, y: x < y)),
            ints.map(both(">=", lambda x, y: x >= y)),
            ints.map(both("==", lambda x, y: x == y)),
            sets.map(both("subset", lambda x, y: x <= y)),
            sets.map(both("!=", lambda x, y: x != y)),
            bools.map(both("and", lambda x, y: x and y)),
            bools.map(both("or", lambda x, y: x or y)),
            bools.map(both("=>", lambda x, y: not x or y)),
            bools.map(both("<=>", lambda x, y: x == y)),
            sub("bool").map(lambda f: (f"(not {f[0]})", lambda env: not f[1](env))),
            st.tuples(sub("int"), sub("set")).map(both("in", lambda x, y: x in y)),
            sub("int").map(lambda f: (f"(o < {f[0]})", lambda env: below(env["o"], f[1](env)))),
            sub("int").map(lambda f: (f"({f[0]} <= o)", lambda env: not below(env["o"], f[1](env)))),
            inner.map(bound("(forall {name} in 0..3: {body})", lambda rows: all(ok for _, ok in rows))),
            inner.map(bound("(exists {name} in 0..3: {body})", lambda rows: any(ok for _, ok in rows))),
        ],
        "set": [
            sets.map(both("union", lambda x, y: x | y)),
            sets.map(both("intersect", lambda x, y: x & y)),
            sets.map(both("minus", lambda x, y: x - y)),
            inner.map(bound("{{{name} in 0..3 | {body}}}", lambda rows: frozenset(i for i, ok in rows if ok))),
            st.tuples(st.just(fresh), sub("int", (fresh,))).map(
                bound("{{{body} for {name} in 0..3}}", lambda rows: frozenset(v for _, v in rows))
            ),
        ],
    }
    return draw(st.one_of(*leaves[kind], *compound[kind]))


def ask(formula: str, names: dict[str, Any]) -> Any:
    """The value that the explorer gives to a formula of type Bool."""
    interpreter = interpreter_of(f"{HEAD}\ninvariant I\n    {formula}\ninstance i\n    check I")
    return interpreter.evaluate(interpreter.spec.properties[0].clauses[0], state_of(interpreter, names))


def state_of(interpreter: Interpreter, names: dict[str, Any]) -> State:
    return (*(names[v.name] for v in interpreter.spec.variables), 0)


states = st.fixed_dictionaries(
    {
        "a": st.integers(0, 3),
        "b": st.integers(0, 3),
        "s": st.frozensets(st.integers(0, 3)),
        "o": st.none() | st.integers(0, 3),
        "q": st.lists(st.integers(0, 3), max_size=3).map(tuple),
    }
)


@given(formulas("bool"), states)
@settings(max_examples=120, deadline=None)
def test_formulas_mean_what_python_means(formula: Formula, names: dict[str, Any]) -> None:
    assert ask(formula[0], names) is bool(formula[1](names))


@given(formulas("int"), formulas("set"), states)
@settings(max_examples=60, deadline=None)
def test_integers_and_sets_are_those_of_python(number: Formula, whole: Formula, names: dict[str, Any]) -> None:
    assert ask(f"{number[0]} == {number[1](names)}".replace("== -", "== 0 - "), names) is True
    elements = ", ".join(str(x) if x >= 0 else f"0 - {-x}" for x in whole[1](names))
    assert ask(f"{whole[0]} == {{{elements}}}", names) is True


@given(states, st.integers(-1, 4))
@settings(max_examples=100, deadline=None)
def test_sequences_are_tuples_from_one(names: dict[str, Any], i: int) -> None:
    q = names["q"]
    assert ask(f"length(q) == {len(q)}", names)
    asks = {f"q[{i}] == 0": lambda: q[i - 1] == 0, f"length(q[..{i}]) == {i}": lambda: True}
    for (text, meaning), defined in zip(asks.items(), (1 <= i <= len(q), 0 <= i <= len(q)), strict=True):
        text = text.replace("-1", "0 - 1")
        if defined:
            assert ask(text, names) is meaning()
        else:
            with pytest.raises(Fault):
                ask(text, names)


@given(states)
@settings(max_examples=60, deadline=None)
def test_extremes_are_those_of_python(names: dict[str, Any]) -> None:
    s = names["s"]
    if s:
        assert ask(f"(max x in s by x) == {max(s)} and (min x in s by x) == {min(s)}", names)
        assert ask(f"(max x in s by 0 - x) == {min(s)}", names)
    else:
        with pytest.raises(Fault, match="nothing to take the max of"):
            ask("(max x in s by x) == 0", names)


LAZY = {
    "a != 0 => q[1] == 0": True,
    "a != 0 and q[1] == 0": False,
    "a == 0 or q[1] == 0": True,
    "if a == 0 then true else q[1] == 0": True,
    "forall x in 1..3 where x <= length(q): q[x] == 0": True,
    "exists x in 0..3: x == 0 or (1 <= x <= length(q) and q[x] == 0)": True,
    "o != none => (the o) == 1": True,
}


@pytest.mark.parametrize("formula", LAZY)
def test_what_is_not_needed_is_not_evaluated(formula: str) -> None:
    names = {"a": 0, "b": 0, "s": frozenset(), "o": None, "q": ()}
    assert ask(formula, names) is LAZY[formula]


FAULTS = {
    "(the o) == 1": "Q0601",
    "q[0] == 0": "Q0602",
    "q[1] == 0": "Q0602",
    "(max x in s by x) == 0": "Q0603",
    "(max x in 0..3 by 0) == 0": "Q0604",
    "length(q[..2]) == 2": "Q0606",
    "[x in 1..2 -> x][a] == 0": "Q0602",
    "exists x in 0..3: q[x] == 0": "Q0602",
    "exists x in 0..3: x == 0 or q[x] == 0": "Q0602",
    "forall x in 0..3: x != 0 and q[x] == 0": "Q0602",
}


@pytest.mark.parametrize("formula", FAULTS)
def test_operations_outside_their_domain_are_faults(formula: str) -> None:
    names = {"a": 0, "b": 0, "s": frozenset(), "o": None, "q": ()}
    with pytest.raises(Fault) as fault:
        ask(formula, names)
    assert fault.value.code == FAULTS[formula]
    assert fault.value.kind == "undefined"


def test_definitions_may_be_applied_to_themselves() -> None:
    text = HEAD + "define twice(x in 0..9) = x + x\ninvariant I\n    twice(twice(1) + twice(a)) == 4 + 4 * a\n"
    interpreter = interpreter_of(text)
    for state in interpreter.initial():
        assert interpreter.holds(interpreter.spec.properties[0].clauses, state)


def test_quantifiers_go_over_quorums_messages_and_earlier_names() -> None:
    interpreter = interpreter_of(
        """
        sort Node
        quorum Quorum of Node
        state groups: Map[Node, Set[Node]] = [n in Node -> {n}]
        action a
            skip
        invariant I
            forall q, r in Quorum: exists n in q: n in r
            forall n in Node, m in groups[n]: m == n
            forall q in Quorum: size(q) == 2 and (forall n in q: n in q)
            not exists q in Quorum: forall n in Node: n in q
            size(Node) == 3
        instance i
            Node = 3
        """
    )
    state = next(interpreter.initial())
    assert interpreter.holds(interpreter.spec.properties[0].clauses, state)

"""Instances: what is explored follows from sizes, families and constants, and nothing unfit is explored."""

from __future__ import annotations

import pytest
from exploring import codes_of, first, interpreter_of, spec_of, verdict_of

from checker.explore.instance import default_instance, find_instance, instantiate
from checker.explore.problem import shallow
from checker.language import ir
from checker.source import Diagnostic, SpecError
from checker.verdict import Assurance

QUORUMS = """
sort Node
order Rank
quorum Quorum of Node
constant limit: 0..9
constant leader: Node?
enum Color = red, green
constant color: Color
constant fast: Bool
constant top: Rank
state x: 0..9 = 0
action a
    require x < limit
    x := x + 1
timeout t
    x := 0
instance i
    Node = 3
    Rank = 2
    limit = 2
    leader = n1
    color = green
    fast = true
    top = 1
    timeouts <= 1
    expect states 6
"""


def overridden(text: str, **values: str) -> dict[str, str]:
    """The sizes of the first instance with these overrides, as reports show them."""
    spec = spec_of(text)
    return dict(instantiate(spec, first(spec), values).sizes)


def problems(text: str, **values: str) -> list[Diagnostic]:
    spec = spec_of(text)
    with pytest.raises(SpecError) as error:
        instantiate(spec, first(spec), values)
    return list(error.value.diagnostics)


def test_sizes_are_told_in_order_of_declaration() -> None:
    assert overridden(QUORUMS) == {
        "Node": "3",
        "Rank": "2",
        "limit": "2",
        "leader": "n1",
        "color": "green",
        "fast": "true",
        "top": "1",
        "timeouts": "1",
    }


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Node", "4", "4"),
        ("Rank", "5", "5"),
        ("limit", "9", "9"),
        ("leader", "n0", "n0"),
        ("leader", "none", "none"),
        ("color", "red", "red"),
        ("fast", "false", "false"),
        ("top", "0", "0"),
        ("timeouts", "0", "0"),
        ("Quorum", "3", "3 of Node"),
    ],
)
def test_everything_that_an_instance_sets_can_be_overridden(name: str, value: str, shown: str) -> None:
    assert overridden(QUORUMS, **{name: value})[name] == shown


@pytest.mark.parametrize(
    ("name", "value", "code", "hint"),
    [
        ("node", "4", "Q0502", "did you mean `Node`?"),
        ("timeout", "4", "Q0502", "did you mean `timeouts`?"),
        ("Node", "0", "Q0503", "a number of elements, 1 or more"),
        ("Node", "-3", "Q0503", "a number of elements, 1 or more"),
        ("Node", "many", "Q0503", "a number of elements"),
        ("Node", "9" * 30, "Q0503", "a number of elements"),
        ("timeouts", "-1", "Q0503", "a greatest number"),
        ("fast", "1", "Q0503", "`true` or `false`"),
        ("color", "blue", "Q0503", "`red`, `green`"),
        ("leader", "x1", "Q0503", "such as `n0`"),
        ("Quorum", "most", "Q0503", "`majority`"),
        ("limit", "10", "Q0507", ""),
        ("leader", "n3", "Q0507", ""),
        ("top", "2", "Q0507", ""),
        ("Quorum", "4", "Q0511", "a number from 1 to 3"),
        ("Quorum", "0", "Q0511", "a number from 1 to 3"),
        ("Quorum", "1", "Q0510", "larger quorums"),
        ("Node", "1000000", "Q0508", ""),
        ("Node", "9999", "Q0508", ""),
    ],
)
def test_overrides_that_do_not_fit(name: str, value: str, code: str, hint: str) -> None:
    found = problems(QUORUMS, **{name: value})
    assert [d.code for d in found] == [code]
    assert hint in (found[0].hint or "")


def test_all_problems_of_a_command_line_are_told_at_once() -> None:
    assert [d.code for d in problems(QUORUMS, Node="0", colour="red", fast="maybe")] == ["Q0503", "Q0502", "Q0503"]


def test_missing_sizes_are_told_at_once() -> None:
    assert [d.code for d in problems("sort A\norder B\nstate x: Bool = true\naction a\n    skip\ninstance i\n")] == [
        "Q0505",
        "Q0505",
    ]


def test_an_instance_with_an_override_expects_no_number_of_states_and_says_so() -> None:
    from checker.explore.check import check
    from checker.explore.overrides import with_overrides

    spec = spec_of(QUORUMS)
    decl = with_overrides(spec, first(spec), {"limit": "3"})
    verdict = check(spec, decl)
    assert verdict.expectations == ()
    assert any("expect states 6" in note for note in verdict.notes)
    assert verdict_of(QUORUMS).expectations[0].met is True


def test_an_unknown_instance_is_named_with_what_there_is() -> None:
    spec = spec_of(QUORUMS.replace("instance i", "instance small"))
    assert find_instance(spec, "small").name == "small"
    with pytest.raises(SpecError) as error:
        find_instance(spec, "smal")
    [found] = error.value.diagnostics
    assert (found.code, found.hint) == ("Q0501", "did you mean `small`?")


def test_a_spec_without_instances_takes_its_sizes_from_outside() -> None:
    spec = spec_of("sort Node\nstate x: Set[Node] = {}\naction a(n in Node)\n    x := x union {n}\n")
    made = instantiate(spec, default_instance(spec), {"Node": "2"})
    assert dict(made.sizes) == {"Node": "2"}
    with pytest.raises(SpecError):
        instantiate(spec, default_instance(spec))


# --- quorums ----------------------------------------------------------------------------------------


def families(text: str, name: str = "Q") -> tuple[frozenset[int], ...]:
    return interpreter_of(text).instance.worlds[0].domains.families[name]


@pytest.mark.parametrize(("size", "members"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_majorities_are_the_smallest(size: int, members: int) -> None:
    found = families(f"sort S\nquorum Q of S\nstate x: Bool = true\naction a\n    skip\ninstance i\n    S = {size}\n")
    assert {len(q) for q in found} == {members}
    assert len(found) == len(set(found))


FLEXIBLE = """
sort S
quorum P of S meets R
quorum R of S
state x: Bool = true
action a
    skip
instance i
    S = 4
    P = 3 of S
    R = {s0, s1}, {s2, s3}
"""


def test_flexible_families_meet_across_and_not_within() -> None:
    text = FLEXIBLE.replace("quorum R of S", "quorum R of S meets P")
    assert families(text, "R") == (frozenset({0, 1}), frozenset({2, 3}))
    assert codes_of(text.replace("3 of S", "2 of S")) == ["Q0510"]


def test_quorums_of_an_order_are_named_by_numbers() -> None:
    text = "order S\nquorum Q of S\nstate x: Bool = true\naction a\n    skip\ninstance i\n    S = 4\n    Q = 2 of S\n"
    [found] = problems(text)
    assert "{0, 1} and {2, 3}" in found.message


# --- constants --------------------------------------------------------------------------------------

RING = """
sort Node
constant next: Map[Node, Node]
assume
    forall n in Node: next[n] != n
    forall n, m in Node: next[n] == next[m] => n == m
state at: Node = any
action move
    at := next[at]
invariant I
    next[at] != at
instance i
    Node = {size}
"""


@pytest.mark.parametrize(("size", "derangements"), [(2, 1), (3, 2), (4, 9)])
def test_open_constants_have_every_value_that_the_assumptions_allow(size: int, derangements: int) -> None:
    interpreter = interpreter_of(RING.replace("{size}", str(size)))
    assert len(interpreter.instance.worlds) == derangements
    verdict = verdict_of(RING.replace("{size}", str(size)))
    assert (verdict.census.states, verdict.assurance) == (derangements * size, Assurance.EXHAUSTIVE)


def test_ranges_that_depend_on_open_constants_differ_from_world_to_world() -> None:
    text = """
        constant low: 0..2
        constant high: 0..2
        assume low <= high
        state x: low..high = any
        action up
            require x < high
            x := x + 1
        terminal
            x == high
        invariant I
            low <= x and x <= high
        """
    verdict = verdict_of(text)
    assert verdict.census.states == sum(h - lo + 1 for lo in range(3) for h in range(lo, 3))
    assert verdict.assurance is Assurance.EXHAUSTIVE


def test_constants_may_depend_on_each_other_in_any_order() -> None:
    text = """
        constant last: 0..size_ - 1
        constant size_: 1..3
        state x: 0..last = any
        action a
            skip
        """
    assert verdict_of(text).census.states == sum(last + 1 for size in (1, 2, 3) for last in range(size))


def test_an_assumption_that_nothing_satisfies_is_an_error() -> None:
    assert codes_of(RING.replace("{size}", "1")) == ["Q0509"]


def test_an_assumption_without_meaning_is_an_error() -> None:
    text = "sort N\nconstant c: N?\nassume (the c) == (the c)\nstate x: Bool = true\naction a\n    skip\n"
    assert codes_of(text + "instance i\n    N = 2\n") == ["Q0601"]


def test_a_violation_tells_the_constants_under_which_it_was_found() -> None:
    verdict = verdict_of(RING.replace("{size}", "3").replace("next[at] != at", "next[next[at]] == at"))
    [broken] = [p for p in verdict.properties if p.name == "I"]
    assert broken.trace is not None
    assert [name for name, _ in broken.trace.constants] == ["next"]


def test_a_family_may_take_its_size_from_a_constant() -> None:
    text = """
        sort S
        quorum Q of S
        constant k: 1..5
        state x: Bool = true
        action a
            skip
        instance i
            S = 5
            k = 4
            Q = k of S
        """
    assert {len(q) for q in families(text)} == {4}
    assert codes_of(text.replace("            k = 4\n", "")) == ["Q0511"]


def test_constants_with_values_leave_one_world() -> None:
    spec = spec_of(QUORUMS)
    instance = instantiate(spec, first(spec))
    assert instance.open == frozenset()
    assert isinstance(instance.decl, ir.InstanceDecl)
    assert instance.worlds[0].constants == {"limit": 2, "leader": 1, "color": 1, "fast": True, "top": 1}


def test_expressions_that_nest_too_deeply_are_an_error_of_the_file() -> None:
    with pytest.raises(SpecError) as error, shallow(spec_of(QUORUMS)):
        raise RecursionError
    assert [d.code for d in error.value.diagnostics] == ["Q0508"]

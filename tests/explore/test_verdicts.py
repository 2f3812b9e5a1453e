"""Verdicts of the reference explorer: each status and scope, what was seen, and nothing claimed beyond it."""

from __future__ import annotations

from typing import Any

import pytest
from exploring import codes_of, first, result, spec_of, verdict_of

from checker.explore.check import check
from checker.explore.engines import engine
from checker.explore.native.build import find_compiler
from checker.explore.problem import Engine, Options, Problem, explore
from checker.explore.replay import NotARun
from checker.explore.search import DEADLOCK, FAULT, Answer, End, Found
from checker.verdict import Assurance, Status, Verdict

COUNTER = """
state x: 0..5 = 0
action up
    require x < 5
    x := x + 1
action reset
    require x == 5
    x := 0
"""


def statuses(verdict: Verdict) -> dict[str, Status]:
    return {p.name: p.status for p in verdict.properties}


def test_a_space_that_was_seen_whole_decides_everything() -> None:
    verdict = verdict_of(
        COUNTER
        + """
invariant Small
    x <= 5
invariant Tiny
    x < 9
step Moves
    x != old(x)
reachable Top
    x == 5
reachable Beyond
    x > 5
instance i
    expect states 6
    expect unreachable Beyond
"""
    )
    assert statuses(verdict) == {
        "Small": Status.HOLDS,
        "Tiny": Status.HOLDS,
        "Moves": Status.HOLDS,
        "Top": Status.REACHED,
        "Beyond": Status.UNREACHED,
        "Deadlock": Status.HOLDS,
    }
    assert verdict.assurance is Assurance.EXHAUSTIVE
    assert [e.met for e in verdict.expectations] == [True, True]
    assert verdict.failures == ()
    census = verdict.census
    assert (census.states, census.transitions, census.depth, census.frontier) == (6, 6, 5, 0)
    assert [(a.name, a.taken, a.discovered) for a in census.actions] == [("up", 5, 5), ("reset", 1, 0)]
    top = result(verdict, "Top").trace
    assert top is not None and len(top.steps) == 5


def test_a_violation_stops_the_search_and_leaves_the_rest_unknown() -> None:
    verdict = verdict_of(COUNTER + "invariant Low\n    x < 3\ninvariant Small\n    x <= 5\nreachable Top\n    x == 5\n")
    assert statuses(verdict) == {
        "Low": Status.VIOLATED,
        "Small": Status.UNKNOWN,
        "Top": Status.UNKNOWN,
        "Deadlock": Status.UNKNOWN,
    }
    assert verdict.assurance is Assurance.VIOLATED
    trace = result(verdict, "Low").trace
    assert trace is not None
    assert [state[0] for state in trace.states] == [0, 1, 2, 3]
    assert verdict.census.frontier == 1


def test_going_on_finds_one_violation_of_each_property_and_decides_the_rest() -> None:
    text = COUNTER + "invariant Low\n    x < 3\ninvariant Lower\n    x < 2\ninvariant Small\n    x <= 5\n"
    verdict = verdict_of(text, stop_at_first=False)
    lengths = {p.name: len(p.trace.steps) for p in verdict.properties if p.trace}
    assert lengths == {"Low": 3, "Lower": 2}
    assert statuses(verdict)["Small"] is Status.HOLDS
    assert verdict.assurance is Assurance.VIOLATED
    assert verdict.census.states == 6


def test_violations_of_one_level_are_all_told() -> None:
    verdict = verdict_of(COUNTER + "invariant A\n    x < 3\ninvariant B\n    x != 3\ninvariant C\n    x < 4\n")
    assert [name for name, status in statuses(verdict).items() if status is Status.VIOLATED] == ["A", "B"]


def test_a_step_property_speaks_of_the_state_before() -> None:
    verdict = verdict_of(COUNTER + "step Grows\n    old(x) <= x\n")
    broken = result(verdict, "Grows")
    assert broken.status is Status.VIOLATED
    assert broken.trace is not None
    assert [state[0] for state in broken.trace.states] == [0, 1, 2, 3, 4, 5, 0]
    assert broken.trace.steps[-1].action == "reset"


# --- deadlock ---------------------------------------------------------------------------------------

STUCK = "state x: 0..2 = 0\naction up\n    require x < 2\n    x := x + 1\ninvariant I\n    x <= 2\n"


def test_a_state_without_steps_is_reported_unless_it_is_meant() -> None:
    verdict = verdict_of(STUCK)
    assert result(verdict, "Deadlock").status is Status.VIOLATED
    assert statuses(verdict_of(STUCK + "terminal\n    x == 2\n"))["Deadlock"] is Status.HOLDS
    assert statuses(verdict_of(STUCK + "terminal\n    x == 1\n"))["Deadlock"] is Status.VIOLATED
    for allowed in ("allow deadlock", "check I"):
        assert statuses(verdict_of(STUCK + f"instance i\n    {allowed}\n")) == {"I": Status.HOLDS}
    assert statuses(verdict_of(STUCK, deadlock=False)) == {"I": Status.HOLDS}
    assert statuses(verdict_of(STUCK + "instance i\n    check Deadlock\n")) == {"Deadlock": Status.VIOLATED}


def test_a_state_in_which_only_the_end_of_an_order_stops_is_no_deadlock() -> None:
    text = "order T\nstate t: T = any\naction tick\n    t := t.next\ninstance i\n    T = 3\n"
    verdict = verdict_of(text)
    assert statuses(verdict) == {"Deadlock": Status.HOLDS}
    assert verdict.census.bounds == (("end of T", 1),)


# --- what was cut short never holds -----------------------------------------------------------------


def test_a_depth_bound_is_the_scope_of_the_verdict() -> None:
    text = COUNTER + "invariant I\n    x < 5\nreachable R\n    x == 4\n"
    verdict = verdict_of(text, depth=3)
    assert (verdict.assurance, verdict.depth_bound) == (Assurance.BOUNDED, 3)
    assert statuses(verdict)["R"] is Status.UNKNOWN
    assert verdict.census.states == 4
    assert verdict_of(text, depth=5).assurance is Assurance.VIOLATED
    assert verdict_of(COUNTER, depth=6).assurance is Assurance.EXHAUSTIVE


def answering(end: End) -> Engine:
    """An engine that sees everything and pretends to have been stopped."""

    def engine(problem: Problem, options: Options, progress: Any) -> Answer:
        answer = explore(problem, options)
        return Answer(end, *(getattr(answer, name) for name in list(answer.__dataclass_fields__)[1:10]))

    return Engine("test", engine)


@pytest.mark.parametrize("end", [End.TIME, End.MEMORY, End.INTERRUPTED])
def test_what_ended_early_is_inconclusive_and_nothing_holds(end: End) -> None:
    verdict = verdict_of(
        COUNTER + "invariant I\n    x <= 5\nreachable R\n    x > 5\ninstance i\n    expect states 6\n",
        engine=answering(end),
    )
    assert verdict.assurance is Assurance.INCONCLUSIVE
    assert verdict.reason
    assert set(statuses(verdict).values()) == {Status.UNKNOWN}
    assert [e.met for e in verdict.expectations] == [None]
    assert verdict.engine == "test"


def test_more_states_than_expected_is_wrong_however_the_search_ends() -> None:
    verdict = verdict_of(COUNTER + "instance i\n    expect states 5\n", engine=answering(End.TIME))
    assert [e.met for e in verdict.expectations] == [False]


# --- errors of the spec met on the way --------------------------------------------------------------


def test_an_undefined_operation_is_shown_with_the_run_that_leads_there() -> None:
    verdict = verdict_of(
        COUNTER
        + "state last: 0..5? = none\naction take\n    require x == 2\n    x := the last\ninvariant I\n    x <= 5\n"
    )
    broken = result(verdict, "Undefined")
    assert (broken.kind, broken.status, broken.code) == ("undefined", Status.VIOLATED, "Q0601")
    assert broken.message.endswith("; met in `take`")
    assert broken.trace is not None and len(broken.trace.steps) == 2
    assert broken.place is not None and broken.place.text.strip() == "x := the last"
    assert statuses(verdict)["I"] is Status.UNKNOWN


def test_a_value_outside_its_range_is_a_violation_of_its_own_kind() -> None:
    verdict = verdict_of("state x: 0..2 = 0\naction up\n    x := x + 1\n")
    broken = result(verdict, "Range")
    assert (broken.kind, broken.code) == ("range", "Q0609")
    assert broken.trace is not None and len(broken.trace.steps) == 2
    assert "3" in broken.message and "0..2" in broken.message


@pytest.mark.parametrize("kind", ["invariant", "lemma", "reachable", "step", "terminal"])
def test_an_undefined_operation_in_a_property_is_an_error(kind: str) -> None:
    guard = "x == 2 and" if kind == "reachable" else "x < 2 or"
    rest = "state o: 0..5? = none\n" + f"{kind} P\n    {guard} (the o) == 0\n"
    verdict = verdict_of(STUCK + rest)
    broken = result(verdict, "Undefined")
    assert broken.code == "Q0601"
    assert broken.trace is not None and len(broken.trace.steps) == 2


def test_behind_an_undefined_operation_nothing_holds_even_if_all_else_was_seen() -> None:
    text = (
        COUNTER
        + "state o: 0..5? = none\naction take\n    x := the o\ninvariant I\n    x <= 5\nreachable R\n    x > 5\n"
    )
    verdict = verdict_of(text, stop_at_first=False)
    assert verdict.census.frontier == 0
    assert statuses(verdict) == {
        "I": Status.UNKNOWN,
        "R": Status.UNKNOWN,
        "Deadlock": Status.UNKNOWN,
        "Undefined": Status.VIOLATED,
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("state x: 0..2 = 3\naction a\n    skip\n", "Q0609"),
        ("constant c: 0..3\nstate x: 1..c = any\naction a\n    skip\ninstance i\n    c = 0\n", "Q0512"),
        ("sort N\nconstant c: N?\nstate x: N = the c\naction a\n    skip\ninstance i\n    N = 1\n", "Q0601"),
    ],
)
def test_initial_values_without_meaning_are_errors(text: str, code: str) -> None:
    assert codes_of(text) == [code]


# --- expectations -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "met", "failures"),
    [
        ("expect violated Low", True, []),
        ("expect violated Low after 3 steps", True, []),
        ("expect violated Low after 4 steps", False, ["Low"]),
        ("expect violated Small", None, ["Low"]),
        ("expect unreachable Top", None, ["Low"]),
    ],
)
def test_expected_violations_must_be_found_and_others_are_real(
    line: str, met: bool | None, failures: list[str]
) -> None:
    text = COUNTER + "invariant Low\n    x < 3\ninvariant Small\n    x <= 5\nreachable Top\n    x == 5\n"
    verdict = verdict_of(text + f"instance i\n    {line}\n")
    assert [e.met for e in verdict.expectations] == [met]
    assert [p.name for p in verdict.failures] == failures


def test_an_expected_violation_that_does_not_occur_is_not_met() -> None:
    verdict = verdict_of(COUNTER + "invariant Small\n    x <= 5\ninstance i\n    expect violated Small\n")
    assert [e.met for e in verdict.expectations] == [False]


def test_several_expected_violations_are_all_looked_for() -> None:
    text = COUNTER + "invariant A\n    x < 2\ninvariant B\n    x < 4\ninvariant C\n    x < 5\n"
    lines = "instance i\n    expect violated A after 2 steps\n    expect violated B after 4 steps\n"
    verdict = verdict_of(text + lines)
    assert [e.met for e in verdict.expectations] == [True, True]
    assert [p.name for p in verdict.failures] == ["C"]


def test_a_deadlock_can_be_expected() -> None:
    verdict = verdict_of(STUCK + "instance i\n    expect violated Deadlock after 2 steps\n")
    assert [e.met for e in verdict.expectations] == [True]
    assert verdict.failures == ()


def test_a_reachable_that_is_reached_is_not_unreachable() -> None:
    verdict = verdict_of(COUNTER + "reachable Top\n    x == 5\ninstance i\n    expect unreachable Top\n")
    assert [e.met for e in verdict.expectations] == [False]


def test_a_step_without_meaning_is_named_with_the_choices_made_so_far() -> None:
    text = "state x: 0..3? = none\naction a(i in 0..1, j in {the x} union {i})\n    require i == 1\n    x := i\n"
    assert result(verdict_of(text), "Undefined").message.endswith("; met in `a` with i = 0")
    text = "state x: 0..3? = none\naction a(i in 1..2)\n    pick j in 1..2\n    x := i + (the x)\n"
    assert result(verdict_of(text), "Undefined").message.endswith("; met in `a` with i = 1")


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
def test_a_count_up_to_renaming_says_so() -> None:
    text = "sort A\nsort B\nstate a: Set[A] = {}\nstate b: B? = none\naction put(x in A)\n    require x not in a\n"
    text += "    a := a union {x}\naction set(y in B)\n    b := y\ninstance i\n    A = 2\n    B = 3\n"
    for symmetry, sorts, states in ((True, ("A", "B"), 6), (False, (), 16)):
        census = verdict_of(text, engine=engine("native"), symmetry=symmetry).census
        assert (census.symmetry, census.states) == (sorts, states)


# --- vacuity ----------------------------------------------------------------------------------------


def vacuous(properties: str) -> list[str]:
    return [clause.text for clause in verdict_of(COUNTER + properties).census.vacuous]


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ("x == 9 => x == 0", ["x == 9 => x == 0"]),
        ("x == 3 => x > 0", []),
        ("forall i in 0..9: x == i => i == 7 => i == 8", ["i == 7 => i == 8"]),
        ("forall i in 0..9: x == i => i == 4 => i < 5", []),
        ("forall i in 0..9 where i == x + 9: i < 99", []),
        ("forall i in 0..9 where i == x + 10: i < 99", ["forall i in 0..9 where i == x + 10: i < 99"]),
        ("x <= 5 and (x > 7 => x == 0)", ["x > 7 => x == 0"]),
        ("told(3)", []),
        ("told(8)", ["x == n => n > 0"]),
        ("forall i in 1..3: told(i)", []),
        ("not (x == 9 => x == 0) or true", []),
    ],
)
def test_implications_that_are_never_tested_are_named(clause: str, found: list[str]) -> None:
    assert vacuous(f"define told(n in 0..9) = x == n => n > 0\ninvariant I\n    {clause}\n") == found


def test_an_undefined_left_side_counts_as_never_true_and_as_an_error() -> None:
    verdict = verdict_of(COUNTER + "state o: 0..5? = none\ninvariant I\n    x < 9 or ((the o) == 0 => x == 0)\n")
    assert statuses(verdict)["I"] is Status.HOLDS


@pytest.mark.parametrize("clauses", ["o != none and ((the o) == 7 => x == 0)", "o != none\n    (the o) == 7 => x == 0"])
def test_an_implication_is_not_asked_for_where_what_stands_before_it_is_false(clauses: str) -> None:
    lose = "state o: 0..9? = 1\naction drop\n    o := none\n"
    verdict = verdict_of(COUNTER + lose + f"invariant I\n    {clauses}\n", stop_at_first=False)
    assert statuses(verdict) == {"I": Status.VIOLATED, "Deadlock": Status.HOLDS}


def test_nothing_is_called_untested_unless_everything_was_seen() -> None:
    text = COUNTER + "invariant I\n    x == 5 => x > 0\n"
    assert verdict_of(text, depth=2).census.vacuous == ()
    assert verdict_of(text + "invariant Low\n    x < 2\n").census.vacuous == ()


def test_actions_that_are_never_taken_are_counted_as_such() -> None:
    verdict = verdict_of(COUNTER + "action never\n    require x > 5\n    x := 0\n")
    assert [(a.name, a.taken) for a in verdict.census.actions if a.taken == 0] == [("never", 0)]


# --- engines are not believed -----------------------------------------------------------------------


def claiming(*found: Found) -> Engine:
    """An engine that claims to have found something."""

    def engine(problem: Problem, options: Options, progress: Any) -> Answer:
        return Answer(End.FOUND, 1, 0, 0, 0, (0, 0), (0, 0), (), found)

    return Engine("claims", engine)


@pytest.mark.parametrize(
    "found",
    [
        Found(0, ((0, 0), (2, 0))),  # no such step
        Found(0, ((1, 0), (2, 0), (3, 0))),  # no initial state
        Found(0, ((0, 0), (1, 0))),  # the invariant holds
        Found(DEADLOCK, ((0, 0),)),  # there is a step
        Found(FAULT, ((0, 0),)),  # all is defined
    ],
)
def test_a_run_that_the_interpreter_cannot_repeat_is_refused(found: Found) -> None:
    spec = spec_of(COUNTER + "invariant Low\n    x < 3\n")
    with pytest.raises(NotARun):
        check(spec, first(spec), Options(engine=claiming(found)))


def test_a_real_run_of_another_engine_is_accepted() -> None:
    spec = spec_of(COUNTER + "invariant Low\n    x < 3\n")
    run = tuple((i, 0) for i in range(4))
    verdict = check(spec, first(spec), Options(engine=claiming(Found(0, run))))
    assert statuses(verdict)["Low"] is Status.VIOLATED

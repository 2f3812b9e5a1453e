"""Bodies run from top to bottom as one step: what a step does, what stops it, and what choices it has."""

from __future__ import annotations

from dataclasses import replace

from exploring import first, interpreter_of, spec_of

from checker.explore.faults import CutOff, Fault
from checker.explore.instance import instantiate
from checker.explore.interpreter import Failed, Interpreter, Taken
from checker.language import ir


def outcomes(text: str) -> list[object]:
    """The ends of all steps from the first initial state: values of the variables, bounds, or codes of faults."""
    interpreter = interpreter_of(text)
    found: list[object] = []
    for end in interpreter.steps(next(interpreter.initial())):
        match end:
            case Taken(state=state):
                found.append(state[:-1])
            case CutOff(bound=bound):
                found.append(bound)
            case Failed(fault=Fault(code=code)):
                found.append(code)
    return found


def test_later_statements_see_earlier_assignments() -> None:
    text = """
        state x: 0..9 = 1
        state y: 0..9 = 5
        action swap
            let old_x = x
            x := y
            y := old_x + x
        """
    assert outcomes(text) == [(5, 6)]


def test_the_first_branch_whose_condition_holds_is_taken_in_the_state_of_the_moment() -> None:
    text = """
        state x: 0..9 = 1
        state y: 0..9 = 0
        action a
            x := x + 1
            if x == 1
                y := 1
            elif x == 2
                y := 2
                x := 7
            else
                y := 3
        """
    assert outcomes(text) == [(7, 2)]


def test_parameters_and_picks_make_one_step_for_each_choice_in_order() -> None:
    text = """
        state x: 0..99 = 0
        action a(i in 1..2)
            pick j in 1..3 where j != i
            pick k in {j, 5}
            x := 10 * i + j + k
        """
    assert outcomes(text) == [(10 + 2 + 2,), (10 + 2 + 5,), (16,), (18,), (22,), (26,), (26,), (28,)]


def test_a_procedure_with_a_choice_may_run_twice_in_one_step() -> None:
    # The language has no such body, for choices come before effects; the typed form allows it.
    spec = spec_of(
        """
        state x: 0..99 = 0
        state y: 0..99 = 0
        procedure p(n in 1..2)
            pick i in 0..1
            if n == 1
                x := 10 * n + i
            else
                y := 10 * n + i
        action a
            p(1)
        """
    )
    [action] = spec.actions
    [call] = action.body
    assert isinstance(call, ir.Invoke)
    two = replace(call, arguments=(replace(call.arguments[0], value=2),))
    spec = replace(spec, actions=(replace(action, body=(call, two)),))
    interpreter = Interpreter(instantiate(spec, first(spec)))
    found = [end.state[:-1] for end in interpreter.steps(next(interpreter.initial())) if isinstance(end, Taken)]
    assert found == [(10, 20), (10, 21), (11, 20), (11, 21)]


def test_a_false_requirement_in_a_branch_stops_the_whole_step() -> None:
    text = """
        state x: 0..9 = 0
        action a(i in 0..3)
            if i > 1
                require i == 3
                x := i
            else
                x := i + 5
        """
    assert outcomes(text) == [(5,), (6,), (3,)]


def test_the_end_of_an_order_cuts_off_only_the_choice_that_meets_it() -> None:
    text = """
        order Tick
        state t: Tick = any
        action a(u in Tick)
            require t <= u
            t := u.next
        instance i
            Tick = 2
        """
    assert outcomes(text) == [(1,), "end of Tick"]


def test_a_requirement_that_goes_past_the_end_cuts_off_too() -> None:
    text = """
        order Tick
        state t: Tick = any
        action a(u in Tick)
            require u.next == u
            t := u
        instance i
            Tick = 1
        """
    assert outcomes(text) == ["end of Tick"]


def test_a_limit_of_the_instance_is_named_by_what_it_cuts_off() -> None:
    text = """
        state x: 0..9 = 0
        timeout t
            x := 1
        action a
            x := 2
        instance i
            timeouts <= 0
        """
    assert outcomes(text) == ["timeouts <= 0", (2, 0)]


def test_a_fault_in_one_choice_leaves_the_others() -> None:
    text = """
        sort Node
        state m: Map[Node, 0..3?] = [n in Node -> none]
        state x: 0..3 = 0
        action set(n in Node)
            m[n] := 1
        action use(n in Node)
            x := the m[n]
        instance i
            Node = 2
        """
    assert outcomes(text) == [((1, None), 0), ((None, 1), 0), "Q0601", "Q0601"]


def test_a_value_outside_its_range_is_a_fault_at_any_depth() -> None:
    text = """
        record Pair(a: 0..3, b: 0..3)
        state p: Pair? = none
        state s: Set[0..3] = {}
        action a(i in 2..4)
            p := Pair(0, i)
        action b(i in 3..4)
            s := {0, i}
        """
    assert outcomes(text) == [
        ((0, 2), frozenset()),
        ((0, 3), frozenset()),
        "Q0609",
        (None, frozenset({0, 3})),
        "Q0609",
    ]


def test_parts_of_parts_are_assigned() -> None:
    text = """
        sort Node
        order Index from zero
        record Entry(n: 0..9, seen: Set[Node])
        state log: Map[Node, Seq[Index, Entry]] = [n in Node -> [Entry(1, {}), Entry(2, {n})]]
        action a(n in Node)
            let last = length(log[n])
            log[n][last.prev].seen := {n}
            log[n][last] := Entry(3, {})
        instance i
            Node = 2
            Index = 3
        """
    old = ((1, frozenset()), (2, frozenset({0}))), ((1, frozenset()), (2, frozenset({1})))
    assert outcomes(text) == [
        ((((1, frozenset({0})), (3, frozenset())), old[1]),),
        ((old[0], ((1, frozenset({1})), (3, frozenset()))),),
    ]


def test_old_is_the_state_before_the_step_in_ghost_updates() -> None:
    interpreter = interpreter_of(
        """
        state x: 0..9 = 3
        ghost was: 0..9 = 0
        action a
            x := x + 1
        after a
            was := old(x) * 2
        invariant I
            was == was
        """
    )
    [step] = interpreter.steps(next(interpreter.initial()))
    assert isinstance(step, Taken)
    assert step.state[:-1] == (4, 6)


def test_the_choices_of_a_step_are_its_parameters_then_its_picks() -> None:
    interpreter = interpreter_of(
        """
        state x: 0..9 = 0
        action a(i in 1..1)
            pick j in {4}
            x := i + j
        """
    )
    [step] = interpreter.steps(next(interpreter.initial()))
    assert isinstance(step, Taken)
    assert [(binder.name, value) for binder, value in step.choices] == [("i", 1), ("j", 4)]

"""What an instance expects, held against what was found.

An expectation is met, or not, or cannot be told because too little was seen; which of the three is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from checker.explore.replay import place
from checker.language import ir
from checker.verdict import Expectation, PropertyResult, Status


def expectations(
    decl: ir.InstanceDecl, results: Iterable[PropertyResult], states: int, complete: bool
) -> tuple[Expectation, ...]:
    """All expectations of the instance, in order; `complete`: the whole space was seen, and has this many states."""
    by_name = {result.name: result for result in results}
    return tuple(_expectation(expected, by_name, states, complete) for expected in decl.expected)


def _expectation(expected: ir.Expected, results: dict[str, PropertyResult], states: int, complete: bool) -> Expectation:
    match expected:
        case ir.ExpectStates(count=count):
            met = states == count if complete else False if states > count else None
            found = f"{states:,} states" if complete else f"{states:,} states so far"
            return Expectation(f"states {count}", met, found, place(expected.span))
        case ir.ExpectViolated(name=name, steps=steps):
            after = "" if steps is None else f" after {steps} steps"
            met, found = _violated(results.get(name), steps, complete)
            return Expectation(f"violated {name}{after}", met, found, place(expected.span), name)
        case ir.ExpectUnreachable(name=name):
            met, found = _unreachable(results.get(name))
            return Expectation(f"unreachable {name}", met, found, place(expected.span), name)
        case _:
            assert_never(expected)


def _violated(result: PropertyResult | None, steps: int | None, complete: bool) -> tuple[bool | None, str]:
    if result is None:
        return None, "it was not checked"
    match result.status:
        case Status.VIOLATED:
            taken = len(result.trace.steps) if result.trace else 0
            return steps is None or steps == taken, f"violated after {taken} steps"
        case Status.HOLDS if complete:
            return False, "not violated"
        case _:
            return None, "not violated so far"


def _unreachable(result: PropertyResult | None) -> tuple[bool | None, str]:
    if result is None:
        return None, "it was not checked"
    match result.status:
        case Status.REACHED:
            return False, f"reached after {len(result.trace.steps) if result.trace else 0} steps"
        case Status.UNREACHED:
            return True, "not reached in any state"
        case _:
            return None, "not reached so far"


def notes(spec: ir.Spec, decl: ir.InstanceDecl) -> tuple[str, ...]:
    """What is not compared because the instance was changed by values from outside the file."""
    written = next((each for each in spec.instances if each.name == decl.name), decl)
    dropped = [e for e in written.expected if isinstance(e, ir.ExpectStates) and e not in decl.expected]
    return tuple(f"`expect states {e.count}` is not compared: sizes were set from outside the file" for e in dropped)

"""Why an event was not accepted: for each action that it may have been, what stood in its way, with the values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from checker.conform.compare import Comparison
from checker.conform.driver import Blocked, Done
from checker.conform.steps import Pattern, Seen
from checker.explore.display import to_value
from checker.explore.evaluate import Env
from checker.explore.faults import CutOff
from checker.explore.interpreter import State
from checker.explore.replay import place
from checker.explore.witness import why_blocked
from checker.language import ir
from checker.language import types as ty
from checker.language.forms import Forms
from checker.verdict import Obstacle, Value

_MOST = 12  # obstacles that are told


def explain(
    comparison: Comparison,
    seen: Seen,
    states: Sequence[State],
    tried: Iterable[tuple[State, Done | Blocked]],
    received: str,
) -> tuple[Obstacle, ...]:
    """What stood in the way, one for each way in which an action failed; those that came closest first.

    `states` are those before the event; `received` says what is known of a message that is received by name.
    """
    found: dict[tuple[object, ...], Obstacle] = {}
    for state, result in tried:
        key = _key(result)
        if key in found:
            old = found[key]
            found[key] = Obstacle(**{**old.__dict__, "others": old.others + 1})
        elif len(found) < _MOST:
            found[key] = (
                _unlike(comparison, seen, state, result)
                if isinstance(result, Done)
                else _blocked(comparison, seen, result)
            )
    if not found:
        found[()] = _nothing(comparison, seen, states, received)
    closest = {"effect": 0, "guard": 1, "message": 2, "undefined": 3}
    return tuple(sorted(found.values(), key=lambda obstacle: closest[obstacle.kind]))


def _key(result: Done | Blocked) -> tuple[object, ...]:
    if isinstance(result, Done):
        return (result.taken.action, "effect")
    return (result.action, id(result.condition), id(result.binder), str(result.stop))


def _unlike(comparison: Comparison, seen: Seen, state: State, done: Done) -> Obstacle:
    action = comparison.driver.spec.actions[done.taken.action]
    sent = comparison.sent(state, done)
    differences = comparison.differences(seen, state, done, sent)
    names: Env = {binder.uid: value for binder, value in done.taken.choices}
    return Obstacle(
        action.qualified,
        "effect",
        _arguments(comparison, done.taken.action, names),
        differences=differences,
        place=place(action.span),
    )


def _blocked(comparison: Comparison, seen: Seen, blocked: Blocked) -> Obstacle:
    driver = comparison.driver
    action = driver.spec.actions[blocked.action]
    arguments = _arguments(comparison, blocked.action, blocked.env)
    if blocked.condition is not None:
        said = _unwritten(driver.spec, action, blocked.condition)
        if said is not None:
            return Obstacle(action.qualified, "guard", arguments, differences=(said,), place=place(action.span))
        clause = why_blocked(driver, blocked.condition, blocked.state, blocked.env)
        return Obstacle(action.qualified, "guard", arguments, clause, place=clause.place)
    if blocked.stop is not None:
        said = f"it goes past the {blocked.stop.bound}" if isinstance(blocked.stop, CutOff) else blocked.stop.message
        return Obstacle(action.qualified, "undefined", arguments, differences=(said,), place=place(blocked.stop.span))
    return Obstacle(
        action.qualified,
        "message",
        arguments,
        differences=(_absent(comparison, seen, blocked),),
        place=place(action.span),
    )


def _unwritten(spec: ir.Spec, action: ir.ActionDecl, condition: ir.Expr) -> str | None:
    """What a condition says that stands in no text, but comes with the network or a fault."""
    names, text = Forms(spec).reads(condition), condition.span.text
    if any(name.startswith("moved ") for name in names) and "moved" not in text:
        if action.kind in ("action", "timeout") and action.role is not None:
            return "it has had its turn in this round, which is not over"
        return "not all have had their turn in this round"
    if any(name.endswith(".stopped") for name in names) and "stopped" not in text:
        return "it has stopped"
    if any(name.startswith("cut ") for name in names) and "reaches" not in text:
        return "what its sender sends does not get through at present"
    return None


def _absent(comparison: Comparison, seen: Seen, blocked: Blocked) -> str:
    binder = blocked.binder
    assert binder is not None
    if not isinstance(binder.type, ty.Message):
        return f"there is nothing that `{binder.name}` could be"
    if binder.uid not in blocked.env:
        return f"there is no {binder.type.name} that it could receive"
    message = comparison.told(Pattern(binder.type.name, tuple(enumerate(blocked.env[binder.uid]))))
    name = f" ({seen.received})" if isinstance(seen.received, str) else ""
    return f"{message}{name} was not there to be received"


def _nothing(comparison: Comparison, seen: Seen, states: Sequence[State], received: str) -> Obstacle:
    """There was not even something to try: no candidate, or none that has such a message."""
    names = [comparison.driver.spec.actions[c.action].qualified for c in seen.candidates]
    if seen.idle:
        differences = comparison.otherwise(seen, states[0])
        return Obstacle(seen.event.action or "no step", "effect", differences=differences)
    if isinstance(seen.received, str):
        said = received
    elif seen.received is not None:
        said = f"{comparison.told(seen.received)} was not there to be received"
    else:
        said = "the spec has no step that the event could be"
    return Obstacle(", ".join(names) or (seen.event.action or "no step"), "message", differences=(said,))


def _arguments(comparison: Comparison, number: int, names: Env) -> tuple[tuple[str, Value], ...]:
    domains = comparison.driver.domains(comparison.initial)
    parameters = comparison.driver.spec.actions[number].parameters
    return tuple(
        (binder.name, to_value(domains, binder.type, names[binder.uid]))
        for binder in parameters
        if binder.uid in names and binder.name != "self"
    )

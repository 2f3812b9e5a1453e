"""Properties in C: a function for each goal of the search, one for steps, and one for states that may be final.

What each function says of a state is what the interpreter says: clauses are judged in order up to the first that fails,
and an operation without meaning is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from checker.explore.native.emit_action import FAULT, FIRST_GOAL
from checker.explore.native.emit_expr import Escape, Translator
from checker.explore.native.emit_value import negation
from checker.explore.native.program import Program
from checker.explore.native.writer import Block, Names
from checker.explore.problem import Goal
from checker.language import ir


def goal_function(program: Program, number: int, goal: Goal, name: str) -> Block:
    """The function that looks for one goal, in a state or (for step properties) in a step."""
    finding = FIRST_GOAL + number
    if goal.kind == "step":
        head = f"static inline void {name}(Worker *w, const State *s, uint32_t action, const State *n)"
        report, state, old = "found_step(w, {}, s, action, n);", "n", "s"
    else:
        head = f"static inline void {name}(Worker *w, const State *s)"
        report, state, old = "found(w, {}, s);", "s", ""
    block = Block(head, "function", None)
    leave = f"{{ {report.format(FAULT)} return; }}"
    t = Translator(program, block, Names(), Escape(leave, lambda bound: leave, "return;"), state, old)
    for clause in goal.clauses:
        condition = t.condition(clause)
        if goal.is_violation:
            t.block.line(f"if ({negation(condition)}) {{ {report.format(finding)} return; }}")
        elif condition != "true":
            t.block.line(f"if ({negation(condition)}) return;")
    if not goal.is_violation:
        block.line(report.format(finding))
    return block


def terminal_function(program: Program, properties: Sequence[ir.Property], deadlock: bool) -> Block:
    """The function that tells whether a state without steps is as it should be; always, if nobody asks."""
    block = Block("static bool terminal(Worker *w, const State *s)", "function", None)
    if not deadlock:
        block.line("return true;")
        return block
    leave = f"{{ undefined(w, {FAULT}, UINT32_MAX); return true; }}"
    names = Names()
    for property_ in properties:
        inner = block.open("")
        t = Translator(program, inner, names, Escape(leave, lambda bound: leave, "return false;"), "s")
        label = names.fresh("next")
        for clause in property_.clauses:
            inner.line(f"if ({negation(t.condition(clause))}) goto {label};")
        inner.line("return true;")
        inner.line(f"{label}:;")
    block.line("return false;")
    return block

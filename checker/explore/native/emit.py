"""A whole program in C for one instance: tables, initial states, actions, goals, as runtime.h asks for them.

It puts the parts together; what an expression, action or property becomes is decided in the modules for these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checker.explore.execute import range_fault
from checker.explore.faults import Fault
from checker.explore.interpreter import Interpreter
from checker.explore.native.emit_action import FIRST_GOAL, action_function
from checker.explore.native.emit_expr import Escape, Translator
from checker.explore.native.emit_loop import open_values
from checker.explore.native.emit_property import goal_function, terminal_function
from checker.explore.native.emit_value import item_at, write
from checker.explore.native.layout import Layout, encode
from checker.explore.native.program import WORLD, Program, make_program
from checker.explore.native.shapes import Mapping, Shape, Tuple, bits, is_wide, size
from checker.explore.native.symmetry import Permuted, permuted_sorts
from checker.explore.native.symmetry import functions as symmetry_functions
from checker.explore.native.touch import Touch
from checker.explore.native.writer import Block, Names, literal
from checker.explore.problem import Problem
from checker.language import ir
from checker.source import SpecError


@dataclass(frozen=True)
class Generated:
    """C source text and what is needed to talk to it: the layout of its states, the names of its bounds, and the sorts
    whose elements it renames."""

    text: str
    layout: Layout
    bounds: tuple[str, ...]
    sorts: tuple[Permuted, ...]

    @property
    def has_world(self) -> bool:
        """Whether states say which interpretation of the constants they belong to."""
        return WORLD in self.layout.by_name


def generate(problem: Problem, room: int, rooms: dict[str, int], symmetry: bool) -> Generated:
    """The program that answers a problem. `room`: how many items a list may hold; `rooms`: in single variables.

    Raises Unsupported where the interpreter has to do it, and SpecError where an initial value has no meaning.
    """
    interpreter = problem.interpreter
    program = make_program(interpreter.instance, room, rooms)
    spec = interpreter.spec
    touch = Touch(program.forms, problem.goals)
    functions = [_initial(program, interpreter)]
    names = [program.names.fresh(f"{action.kind} {action.qualified}") for action in spec.actions]
    for number, (action, name) in enumerate(zip(spec.actions, names, strict=True)):
        functions += [_heading(action), *action_function(program, number, action, name, touch).render(), ""]
    functions += _calls("static void expand(Worker *w, const State *s)", [f"{name}(w, s);" for name in names])
    functions += _goals(program, problem, touch)
    terminals = [p for p in spec.properties if p.kind == "terminal"]
    functions += [*terminal_function(program, terminals, problem.deadlock).render(), ""]
    sorts = permuted_sorts(program) if symmetry else ()
    if sorts:
        functions += symmetry_functions(program, sorts)
    head = _head(program, problem, touch, len(sorts))
    tail = ['#include "kernel.h"', *(_CANONICAL if sorts else ()), ""]
    return Generated(
        "\n".join([*head, *_tables(program), *functions, *tail]), program.layout, tuple(program.bounds), sorts
    )


_CANONICAL = (
    "",
    "void model_canonical(const uint64_t *state, uint64_t *least)",
    "{",
    "    canonical((const State *)state, (State *)least);",
    "}",
)


def _head(program: Program, problem: Problem, touch: Touch, sorts: int) -> list[str]:
    spec, decl = problem.interpreter.spec, problem.interpreter.instance.decl
    lines = [f"// {spec.name}, instance {decl.name}: generated, not to be edited."]
    lines += [f"//   bits {f.at}..{f.at + bits(f.shape) - 1}: {f.name}" for f in program.layout.fields]
    lines += [
        f"#define STATE_BYTES {program.layout.state_bytes}",
        f"#define ACTIONS {max(1, len(spec.actions))}",
        f"#define FINDINGS {FIRST_GOAL + len(problem.goals)}",
        f"#define BOUNDS {len(program.bounds)}",
        "#define MARKS 0",
        f"#define STILL {literal(touch.still)}",
    ]
    if sorts:
        lines.append(f"#define SORTS {sorts}")
    return [*lines, '#include "runtime.h"', '#include "values.h"', ""]


def _tables(program: Program) -> list[str]:
    return [
        f"static const {ctype} {name}[] = {{{', '.join(values)}}};" for (ctype, values), name in program.tables.items()
    ] + [""]


def _heading(action: ir.ActionDecl) -> str:
    parameters = ", ".join(binder.name for binder in action.parameters)
    return f"// {action.kind} {action.qualified}({parameters}), line {action.span.line}"


def _calls(head: str, calls: Sequence[str]) -> list[str]:
    return [head, "{", *(f"    {call}" for call in calls), "}", ""]


def _goals(program: Program, problem: Problem, touch: Touch) -> list[str]:
    lines: list[str] = []
    on_states, on_steps = [], []
    for number, goal in enumerate(problem.goals):
        name = program.names.fresh(f"{goal.kind} {goal.name}")
        lines += [f"// {goal.kind} {goal.name}, line {goal.span.line}"]
        lines += [*goal_function(program, number, goal, name).render(), ""]
        wanted = f"if (touched & {literal(touch.bit(number))} && wanted(w, {FIRST_GOAL + number})) {name}"
        if goal.kind == "step":
            on_steps.append(f"{wanted}(w, s, action, n);")
        else:
            on_states.append(f"{wanted}(w, s);")
    lines += _calls("static inline void check_state(Worker *w, uint64_t touched, const State *s)", on_states)
    head = "static inline void check_step(Worker *w, uint64_t touched, const State *s, uint32_t action, const State *n)"
    return [*lines, *_calls(head, on_steps)]


# --- initial states ---------------------------------------------------------------------------------


def _initial(program: Program, interpreter: Interpreter) -> str:
    """The function that gives all initial states: the fixed values of each world, and any values of other variables."""
    block = Block("static void initial_states(Worker *w)", "function", None)
    t = Translator(program, block, Names(), Escape("return;", lambda bound: "return;", "return;"), "s")
    worlds = [_fixed_values(program, interpreter, world) for world in range(len(interpreter.instance.worlds))]
    words = (program.layout.state_bytes + 7) // 8
    rows = [[literal(number >> 64 * i & ((1 << 64) - 1)) for i in range(words)] for number in worlds]
    block.line(f"static const State worlds[] = {{{', '.join('{{' + ', '.join(row) + '}}' for row in rows)}}};")
    with t.restored():
        t.block = block.open(f"for (unsigned world = 0; world < {len(rows)}; world++)", "loop")
        t.block.line("State n = worlds[world];")
        for variable in interpreter.spec.variables:
            if variable.initial is None:
                field = program.layout.by_name[variable.name]
                _open_any(t, field.at, field.shape, variable.name)
        t.block.line("emit_initial(w, &n);")
    return "\n".join([*block.render(), ""])


def _fixed_values(program: Program, interpreter: Interpreter, world: int) -> int:
    """The initial state of a world as a number, zero where a variable may have any value."""
    empty = (*[None] * len(interpreter.spec.variables), world)
    number = 0
    for variable in interpreter.spec.variables:
        if variable.initial is None:
            continue
        field = program.layout.by_name[variable.name]
        outside = interpreter.domains(empty).outside(variable.type)
        try:
            value = interpreter.evaluate(variable.initial, empty)
            if found := outside and outside(value):
                raise range_fault(variable.name, found, variable)
        except Fault as fault:
            raise SpecError([fault.diagnostic]) from None
        number |= encode(field.shape, value) << field.at
    if WORLD in program.layout.by_name:
        field = program.layout.by_name[WORLD]
        number |= encode(field.shape, world) << field.at
    return number


def _open_any(t: Translator, at: int, shape: Shape, wish: str) -> None:
    """Opens loops that give a part of the state `n` every value."""
    if isinstance(shape, Mapping):
        for key in range(size(shape.key)):
            place = item_at(shape, key)
            assert isinstance(place, int)
            _open_any(t, at + place, shape.value, wish)
    elif isinstance(shape, Tuple) and is_wide(shape):
        for name, part in shape.fields:
            _open_any(t, at, part, name)
            at += bits(part)
    else:
        value = open_values(t, shape, wish)
        write(t.block, "n.w", at, value)

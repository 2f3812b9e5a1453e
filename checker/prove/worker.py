"""The child process that talks to Z3: one request a line on standard input, one answer a line on standard output.

It can be killed at any moment and holds nothing that its parent cannot send again. Run as `python -m`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import z3  # type: ignore[import-untyped]

Answer = dict[str, Any]


def prove(request: Mapping[str, Any]) -> Answer:
    """Whether the assertions contradict each other; the core names those that do."""
    context = z3.Context()  # whatever was asked before has no influence on the search
    solver = z3.SimpleSolver(ctx=context) if request["simple"] else z3.Solver(ctx=context)
    solver.set("timeout", request["ms"])
    for name, value in request["options"].items():
        solver.set(name, value)
    text = request["declarations"] + "".join(f"\n(assert {formula})" for _, formula in request["assertions"])
    formulas = z3.parse_smt2_string(text, ctx=context)
    if not request["core"]:
        solver.add(formulas)
        return _answer(solver, solver.check())
    for i, formula in enumerate(formulas):
        solver.assert_and_track(formula, f"core {i}")
    result = solver.check()
    answer = _answer(solver, result)
    if result == z3.unsat:
        used = {int(str(x).removeprefix("core ")) for x in solver.unsat_core()}
        answer["core"] = sorted({name for i, (name, _) in enumerate(request["assertions"]) if i in used})
    return answer


def _answer(solver: z3.Solver, result: z3.CheckSatResult) -> Answer:
    reason = solver.reason_unknown() if result == z3.unknown else ""
    return {"answer": str(result), "reason": reason}


def recheck(request: Mapping[str, Any]) -> Answer:
    """What cvc5 says of a complete SMT-LIB 2 text; `missing` where it is not installed."""
    try:
        import cvc5  # type: ignore[import-not-found]
    except ImportError:
        return {"answer": "missing"}
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("tlimit-per", str(request["ms"]))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, request["text"], "obligation")
    symbols = parser.getSymbolManager()
    said = ""
    while not (command := parser.nextCommand()).isNull():
        said += command.invoke(solver, symbols)
    return {"answer": said.strip()}


class Finite:
    """Clauses over Boolean variables, added in pieces and solved under assumptions."""

    def __init__(self) -> None:
        self.solver = z3.SolverFor("QF_FD")
        self.variables: dict[int, z3.BoolRef] = {}

    def literal(self, number: int) -> z3.BoolRef:
        name = abs(number)
        if name not in self.variables:
            self.variables[name] = z3.Bool(f"b{name}")
        return self.variables[name] if number > 0 else z3.Not(self.variables[name])

    def add(self, clauses: list[list[int]]) -> Answer:
        names = sorted({abs(x) for clause in clauses for x in clause})
        declarations = [f"(declare-const b{name} Bool)" for name in names]
        texts = [" ".join(f"b{x}" if x > 0 else f"(not b{-x})" for x in clause) for clause in clauses]
        conjunction = " ".join(f"(or {text})" for text in texts)
        self.solver.add(z3.parse_smt2_string("\n".join([*declarations, f"(assert (and true {conjunction}))"])))
        return {"answer": "added"}

    def solve(self, assumptions: list[int], milliseconds: int, smallest: bool) -> Answer:
        """A model, or the assumptions that contradict each other; with `smallest` no fewer of them do."""
        result = self.check(assumptions, milliseconds)
        answer = _answer(self.solver, result)
        if result == z3.unsat:
            core = self.core(assumptions)
            answer["core"] = self.minimized(core, milliseconds) if smallest else core
        elif result == z3.sat:
            answer["model"] = self.model()
        return answer

    def check(self, assumptions: list[int], milliseconds: int) -> z3.CheckSatResult:
        self.solver.set("timeout", milliseconds)
        return self.solver.check(*(self.literal(x) for x in assumptions))

    def core(self, assumptions: list[int]) -> list[int]:
        found = {str(x) for x in self.solver.unsat_core()}
        return [x for x in assumptions if str(self.literal(x)) in found]

    def model(self) -> list[int]:
        model = self.solver.model()
        return [int(str(d)[1:]) * (1 if z3.is_true(model[d]) else -1) for d in model.decls()]

    def minimized(self, core: list[int], milliseconds: int) -> list[int]:
        """Drops one assumption after the other, the last first, as long as the rest is contradictory."""
        for x in reversed(core):
            rest = [y for y in core if y != x]
            if x in core and self.check(rest, milliseconds) == z3.unsat:
                core = self.core(rest)
        return core

    def shrink(self, assumptions: list[int], facts: list[int], milliseconds: int) -> Answer:
        """A model of the assumptions in which few of the facts are true, found by giving them up one by one."""
        if self.check(assumptions, milliseconds) != z3.sat:
            return {"answer": "unknown", "reason": "no model"}
        model = self.model()
        fixed = list(assumptions)
        deadline = time.monotonic() + milliseconds / 1000
        for fact in facts:
            if fact in model and time.monotonic() < deadline:
                if self.check([*fixed, -fact], milliseconds) == z3.sat:
                    model = self.model()
                else:
                    continue
            fixed.append(-fact)
        return {"answer": "sat", "model": model}


def main() -> None:
    z3.set_param("memory_max_size", 4000)
    finite = Finite()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            match request["op"]:
                case "prove":
                    answer = prove(request)
                case "recheck":
                    answer = recheck(request)
                case "clauses":
                    answer = finite.add(request["clauses"])
                case "solve":
                    answer = finite.solve(request["assumptions"], request["ms"], request["smallest"])
                case "shrink":
                    answer = finite.shrink(request["assumptions"], request["facts"], request["ms"])
                case other:
                    answer = {"answer": "error", "reason": f"no operation {other}"}
        except z3.Z3Exception as error:
            answer = {"answer": "error", "reason": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

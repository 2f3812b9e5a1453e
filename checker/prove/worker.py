"""The child process that talks to Z3: one request a line on standard input, one answer a line on standard output.

It can be killed at any moment and holds nothing that its parent cannot send again. Run as `python -m`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import z3

Answer = dict[str, Any]


def prove(request: Mapping[str, Any]) -> Answer:
    """Whether the assertions contradict each other; the core names those that do."""
    z3.set_param("memory_max_size", 4000)
    solver = z3.SimpleSolver() if request["simple"] else z3.Solver()
    solver.set("timeout", request["ms"])
    for name, value in request["options"].items():
        solver.set(name, value)
    text = request["declarations"] + "".join(f"\n(assert {formula})" for _, formula in request["assertions"])
    formulas = z3.parse_smt2_string(text)
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

    def solve(self, assumptions: list[int], milliseconds: int) -> Answer:
        self.solver.set("timeout", milliseconds)
        literals = {str(self.literal(x)): x for x in assumptions}
        result = self.solver.check(*(self.literal(x) for x in assumptions))
        answer = _answer(self.solver, result)
        if result == z3.unsat:
            answer["core"] = [literals[str(x)] for x in self.solver.unsat_core()]
        elif result == z3.sat:
            model = self.solver.model()
            answer["model"] = [
                int(str(d)[1:]) * (1 if z3.is_true(model[d]) else -1) for d in model.decls() if str(d).startswith("b")
            ]
        return answer


def main() -> None:
    finite = Finite()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            match request["op"]:
                case "prove":
                    answer = prove(request)
                case "clear":
                    finite = Finite()
                    answer = {"answer": "cleared"}
                case "clauses":
                    answer = finite.add(request["clauses"])
                case "solve":
                    answer = finite.solve(request["assumptions"], request["ms"])
                case other:
                    answer = {"answer": "error", "reason": f"no operation {other}"}
        except z3.Z3Exception as error:
            answer = {"answer": "error", "reason": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

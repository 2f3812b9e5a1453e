"""The child process that talks to Z3: one request a line on standard input, one answer a line on standard output.

It can be killed at any moment and holds nothing that its parent cannot send again. Run as `python -m`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import z3  # type: ignore[import-untyped]

Answer = dict[str, Any]


def prove(request: Mapping[str, Any]) -> Answer:
    """Whether the assertions contradict each other; the core names those that do."""
    context = z3.Context()  # whatever was asked before has no influence on the search
    solver = z3.SimpleSolver(ctx=context) if request["simple"] else z3.Solver(ctx=context)
    solver.set("rlimit", request["steps"])
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
    return {"answer": str(result), "reason": reason, "steps": _taken(solver)}


def _taken(solver: z3.Solver) -> int:
    """The steps that the solver's context has taken in all."""
    statistics = solver.statistics()
    counted = "rlimit count" in set(statistics.keys())
    return int(statistics.get_key_value("rlimit count")) if counted else 0


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
        self.literals: dict[int, z3.BoolRef] = {}

    def literal(self, number: int) -> z3.BoolRef:
        if number not in self.literals:
            variable = z3.Bool(f"b{abs(number)}")
            self.literals[number] = variable if number > 0 else z3.Not(variable)
        return self.literals[number]

    def add(self, clauses: list[list[int]]) -> Answer:
        names = sorted({abs(x) for clause in clauses for x in clause})
        declarations = [f"(declare-const b{name} Bool)" for name in names]
        texts = [" ".join(f"b{x}" if x > 0 else f"(not b{-x})" for x in clause) for clause in clauses]
        conjunction = " ".join(f"(or {text})" for text in texts)
        self.solver.add(z3.parse_smt2_string("\n".join([*declarations, f"(assert (and true {conjunction}))"])))
        return {"answer": "added"}

    def solve(self, assumptions: list[int], steps: int, smallest: bool, kept: list[int]) -> Answer:
        """A model, or the assumptions that contradict each other.

        If `smallest` is asked for, also some of these of which fewer do not, as far as that is found with little work;
        those `kept` stay in any case.
        """
        result = self.check(assumptions, steps)
        answer = _answer(self.solver, result)
        if result == z3.unsat:
            core = self.core(assumptions)
            answer |= {"core": core, "smallest": self.minimized(core, steps, kept) if smallest else core}
        elif result == z3.sat:
            answer["model"] = self.model()
        return answer

    def check(self, assumptions: list[int], steps: int) -> z3.CheckSatResult:
        self.solver.set("rlimit", steps)
        return self.solver.check(*(self.literal(x) for x in assumptions))

    def core(self, assumptions: list[int]) -> list[int]:
        found = {x.get_id() for x in self.solver.unsat_core()}
        return [x for x in assumptions if self.literal(x).get_id() in found]

    def model(self) -> list[int]:
        model = self.solver.model()
        return [int(d.name()[1:]) * (1 if z3.is_true(model[d]) else -1) for d in model.decls()]

    def minimized(self, core: list[int], steps: int, kept: list[int]) -> list[int]:
        """Drops one assumption after the other, the last first, as long as the rest is contradictory."""
        others = [x for x in core if x not in kept]
        for x in reversed(others):
            rest = [y for y in others if y != x]
            if x in others and self.check([*kept, *rest], steps // 20) == z3.unsat:
                others = self.core(rest)
        return [*kept, *others]

    def shrink(self, assumptions: list[int], facts: list[int], steps: int) -> Answer:
        """A model of the assumptions in which few of the facts are true, found by giving them up one by one."""
        if self.check(assumptions, steps) != z3.sat:
            return {"answer": "unknown", "reason": "no model"}
        model = self.model()
        fixed = list(assumptions)
        last = _taken(self.solver) + steps
        for fact in facts:
            if fact in model and _taken(self.solver) < last:
                if self.check([*fixed, -fact], steps) == z3.sat:
                    model = self.model()
                else:
                    continue
            fixed.append(-fact)
        return {"answer": "sat", "model": model, "steps": _taken(self.solver)}


def end_without(parent: int) -> None:
    """Ends this process once the parent is gone: of a killed one, a search would go on that nobody waits for."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main() -> None:
    threading.Thread(target=end_without, args=(os.getppid(),), daemon=True).start()
    z3.set_param("memory_max_size", 4000)
    finite = Finite()
    for line in sys.stdin:
        request = json.loads(line)
        begin = time.process_time()
        try:
            match request["op"]:
                case "prove":
                    answer = prove(request)
                case "recheck":
                    answer = recheck(request)
                case "clauses":
                    answer = finite.add(request["clauses"])
                case "solve":
                    answer = finite.solve(
                        request["assumptions"], request["steps"], request["smallest"], request["kept"]
                    )
                case "shrink":
                    answer = finite.shrink(request["assumptions"], request["facts"], request["steps"])
                case other:
                    answer = {"answer": "error", "reason": f"no operation {other}"}
        except z3.Z3Exception as error:
            answer = {"answer": "error", "reason": str(error)}
        answer["seconds"] = time.process_time() - begin
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

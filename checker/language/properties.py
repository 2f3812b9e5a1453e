"""What a spec claims: its properties, and the proofs that derive one from others."""

from __future__ import annotations

from dataclasses import dataclass, field

from checker.language import ir
from checker.language import syntax as s
from checker.language.circles import around, ordered
from checker.language.context import Scope, Symbols
from checker.language.expressions import Expressions
from checker.language.steps import Steps

DEADLOCK = "Deadlock"  # names the absence of steps where a property is named


@dataclass
class Properties:
    """The properties and proofs of one file, in order."""

    items: tuple[s.Item, ...]
    symbols: Symbols
    expressions: Expressions
    steps: Steps
    declared: list[ir.Property] = field(default_factory=list)
    proofs: tuple[ir.Proof, ...] = ()
    step_proofs: tuple[ir.Proof, ...] = ()

    def enter(self) -> None:
        seen: dict[str, s.Word] = {}
        for item in self.items:
            if isinstance(item, s.PropertyItem):
                if item.name is not None:
                    self._named(item.name, seen)
                self._property(item)
        self._proofs()

    def _named(self, name: s.Word, seen: dict[str, s.Word]) -> None:
        """Report a name that another property, or something else, has."""
        if name.text == DEADLOCK:
            message = f"`{DEADLOCK}` is the name of a built-in property"
            self.symbols.report.add("Q0204", message, name.span, "rename it")
        elif name.text in seen:
            self.symbols.duplicate(name, seen[name.text].span)
        elif name.text in self.symbols.names:
            self.symbols.duplicate(name, self.symbols.names[name.text].span)
        else:
            self.symbols.reserved(name)
        seen.setdefault(name.text, name)

    def _property(self, item: s.PropertyItem) -> None:
        report = self.symbols.report
        clauses: list[ir.Expr] = []
        scope = Scope(old=item.kind == "step")
        for clause in item.clauses:
            with report.recovering():
                clauses.append(self.expressions.boolean(clause, scope))
        state, ghost = scope.reads.state, scope.reads.ghost
        if item.kind == "assume" and state is not None:
            hint = "what is to hold of the state is an `invariant`"
            report.add("Q0409", "an assumption speaks of constants only", state.at, hint, *state.notes)
        elif item.kind in ("terminal", "reachable") and ghost is not None:
            hint = "ghost state is history for proofs only"
            report.add("Q0404", f"`{item.kind}` must not depend on ghost state", ghost.at, hint, *ghost.notes)
        name, span = (item.kind, item.span) if item.name is None else (item.name.text, item.name.span)
        self.declared.append(ir.Property(name, span, item.kind, tuple(clauses)))

    # --- proofs -------------------------------------------------------------------------------------

    def _proofs(self) -> None:
        items = [item for item in self.items if isinstance(item, s.ProofItem)]
        proofs: dict[str, ir.Proof] = {}
        by_step: dict[tuple[str, str], ir.Proof] = {}
        for item in items:
            for word in (item.name, *item.premises):
                with self.symbols.report.recovering():
                    self._provable(word)
            if not item.step and self._is_first(item, proofs.get(item.name.text)):
                proofs[item.name.text] = _proof(item)
        for item in items:
            with self.symbols.report.recovering():
                if item.step:
                    action = self.steps.actions[self.steps.position(item.step, "by")].qualified
                    at = item.name.text, action
                    if self._is_first(item, by_step.get(at) or proofs.get(item.name.text)):
                        by_step[at] = _proof(item, action)
        self.step_proofs = tuple(by_step.values())
        _, circles = ordered({name: proof.premises for name, proof in proofs.items()})
        for circle in circles:
            hint = f"{around(circle, 'from')}: a derivation starts from properties proved otherwise"
            message = f"the proof of `{circle[0]}` leans on `{circle[0]}` itself"
            self.symbols.report.add("Q0413", message, proofs[circle[0]].span, hint)
        self.proofs = tuple(proofs.values())

    def _is_first(self, item: s.ProofItem, known: ir.Proof | None) -> bool:
        """Whether nothing has been proved so before; what is derived in each state is kept by no step of its own."""
        if known is not None:
            note = ("the first one is here", known.span)
            hint = "name all that it follows from in one"
            self.symbols.report.add("Q0202", f"`{item.name.text}` has two proofs", item.name.span, hint, note)
        return known is None

    def _provable(self, word: s.Word) -> None:
        known = next((p for p in self.declared if p.name == word.text), None)
        if known is None:
            near = [p.name for p in self.declared if p.kind in ("invariant", "lemma")]
            self.symbols.unknown(word, "invariant or lemma", near, "Q0207")
        if known.kind not in ("invariant", "lemma"):
            article = "an" if known.kind == "assume" else "a"
            message = f"`{word.text}` is {article} `{known.kind}`, and proofs are of invariants and lemmas"
            hint = "assumptions are always at hand" if known.kind == "assume" else "state what you need as a lemma"
            self.symbols.report.error("Q0207", message, word.span, hint, ("it is declared here", known.span))


def _proof(item: s.ProofItem, action: str = "") -> ir.Proof:
    return ir.Proof(item.name.text, item.name.span, tuple(dict.fromkeys(w.text for w in item.premises)), action)

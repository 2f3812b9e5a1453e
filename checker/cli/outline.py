"""What a spec declares, one line each, with types: the typed form at a glance.

It repeats declarations, not bodies; the same entries serve text and JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from checker.language import ir
from checker.language.types import Type, show
from checker.report.look import Look


@dataclass(frozen=True)
class Entry:
    """One declaration: its kind, its name, the rest of its line, the line in the file, and the role it belongs to."""

    kind: str
    name: str
    rest: str
    line: int
    role: str | None = None


def entries(spec: ir.Spec) -> tuple[Entry, ...]:
    """The declarations of a spec as the user wrote them, in the order of the file."""
    found = [*_kinds_of_values(spec), *_state(spec), *_behaviour(spec), *_claims(spec)]
    return tuple(sorted(found, key=lambda entry: entry.line))


def _kinds_of_values(spec: ir.Spec) -> list[Entry]:
    found = [Entry("sort", d.name, "", d.span.line) for d in spec.sorts]
    found += [Entry("order", d.name, "from zero" if d.from_zero else "", d.span.line) for d in spec.orders]
    for q in spec.quorums:
        meets = "" if q.meets == (q.name,) else f" meets {', '.join(q.meets)}" if q.meets else ""
        found.append(Entry("quorum", q.name, f"of {show(q.of)}{meets}", q.span.line))
    found += [Entry("enum", d.name, f"= {', '.join(d.values)}", d.span.line) for d in spec.enums]
    found += [Entry("record", d.name, _fields(d.fields), d.span.line) for d in spec.records]
    for m in spec.messages:
        ends = (f" from {show(m.sender)}" if m.sender else "") + (f" to {show(m.receiver)}" if m.receiver else "")
        found.append(Entry("message", m.name, _fields(m.fields) + ends, m.span.line))
    if spec.network and spec.network.span:
        found.append(Entry("network", "", spec.network.span.text.removeprefix("network "), spec.network.span.line))
    return found


def _state(spec: ir.Spec) -> list[Entry]:
    found = [Entry("constant", d.name, f": {show(d.type)}", d.span.line) for d in spec.constants]
    for v in spec.variables:
        if v.kind in ("network", "limit"):
            continue
        name, type_ = v.name, v.type
        if v.role is not None:
            name = name.removeprefix(f"{v.role}.")
            type_ = getattr(type_, "value", type_)
        start = " = any" if v.initial is None else ""
        found.append(Entry(v.kind, name, f": {show(type_)}{start}", v.span.line, v.role))
    return found


def _behaviour(spec: ir.Spec) -> list[Entry]:
    found = [Entry("role", d.name, "", d.span.line) for d in spec.roles]
    for a in spec.actions:
        if a.kind in ("crash", "stop", "lie", "lose", "partition", "heal"):
            continue
        hidden = ("self",) if a.role else ()
        parameters = [b for b in a.parameters if b.name not in hidden]
        if a.kind == "on":
            found.append(Entry("on", str(a.message), _binders(parameters[-1:], named_only=True), a.span.line, a.role))
        else:
            found.append(Entry(a.kind, a.name, _binders(parameters), a.span.line, a.role))
    for p in spec.procedures:
        found.append(Entry("procedure", p.name, _binders([b for b in p.parameters if b.name != "self"]), p.span.line))
    for d in spec.definitions:
        binders = _binders([b for b in d.parameters if b.name != "self"])
        found.append(Entry("define", d.name, f"{binders}: {show(d.type)}", d.span.line))
    return found


def _claims(spec: ir.Spec) -> list[Entry]:
    found = [Entry(p.kind, p.name, "", p.span.line) for p in spec.properties]
    found += [Entry("proof", p.name, f"from {', '.join(p.premises)}", p.span.line) for p in spec.proofs]
    found += [
        Entry("proof", p.name, f"by {p.action} from {', '.join(p.premises)}", p.span.line) for p in spec.step_proofs
    ]
    for i in spec.instances:
        sizes = [f"{name} = {size}" for name, size in i.sizes] + [f"{name} <= {n}" for name, n in i.limits]
        found.append(Entry("instance", i.name, f"({', '.join(sizes)})" if sizes else "", i.span.line))
    return found


def _fields(fields: tuple[tuple[str, Type], ...]) -> str:
    return f"({', '.join(f'{name}: {show(type_)}' for name, type_ in fields)})" if fields else ""


def _binders(binders: list[ir.Binder] | tuple[ir.Binder, ...], *, named_only: bool = False) -> str:
    if not binders:
        return ""
    return f"({', '.join(b.name if named_only else f'{b.name}: {show(b.type)}' for b in binders)})"


def outline_text(spec: ir.Spec, look: Look) -> str:
    """The outline as lines, members of a role indented under it."""
    lines = [look.paint(f"spec {spec.name}", "strong") + look.paint(f"  {spec.source.name}", "soft")]
    for e in entries(spec):
        inside = e.role is not None or "." in e.name
        name = e.name.rsplit(".", 1)[-1]
        glue = "" if e.rest[:1] in ("(", ":", "") else " "
        lines.append("  " * (1 + inside) + f"{e.kind} {look.paint(name, 'name')}{glue}{e.rest}".replace("  ", " "))
    return "\n".join(lines)


def outline_to_json(spec: ir.Spec) -> dict[str, Any]:
    """The outline as JSON: the spec's name and its declarations."""
    found = [
        {"kind": e.kind, "name": e.name, "signature": e.rest, "line": e.line, "role": e.role} for e in entries(spec)
    ]
    return {"spec": spec.name, "declarations": found}

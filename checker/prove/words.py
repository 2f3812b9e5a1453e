"""Facts of a finite structure in the words of the spec: `a0.promised == 1`, `sent Accept(0, v1)`, `r0 in heard`.

It reads the names that symbols were given; what it does not recognise it leaves out or shows plainly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checker.explore.display import element
from checker.language import ir
from checker.language import types as ty
from checker.prove import terms as t
from checker.prove.ground import Scope


@dataclass(frozen=True)
class Words:
    """`general`: elements are called by names that may be bound (`acceptor_0`) instead of their own."""

    spec: ir.Spec
    scope: Scope
    general: bool = False

    def truth(self, name: str, sorts: Sequence[str], values: Sequence[int], holds: bool) -> str:
        """A fact that is true or false; empty if it is not about the state."""
        args = [self.element(sort, value) for sort, value in zip(sorts, values, strict=True)]
        text = self._state(name, args)
        if not text:
            return ""
        if text.endswith(" != none"):
            return text if holds else text.removesuffix(" != none") + " == none"
        return text if holds else f"not {text}"

    def scalar(self, name: str, sorts: Sequence[str], values: Sequence[int], sort: str, value: int) -> str:
        """What a scalar part of the state is; empty if it is not about the state."""
        args = [self.element(s, v) for s, v in zip(sorts, values, strict=True)]
        text = self._state(name, args)
        return f"{text} == {self.element(sort, value)}" if text else ""

    def element(self, sort: str, value: int) -> str:
        if sort == t.BOOL:
            return "true" if value else "false"
        enum = next((e for e in self.spec.enums if e.name == sort), None)
        if enum is not None:
            return enum.values[value]
        if self.general and any(d.name == sort for d in (*self.spec.sorts, *self.spec.orders)):
            return self.variable(sort, value)
        if any(s.name == sort for s in self.spec.sorts):
            return element(self.spec, ty.Sort(sort), value)
        return str(value)

    def variable(self, sort: str, value: int) -> str:
        """The name for an element of a sort or order; the least of an order from zero has one already."""
        if value == 0 and any(d.name == sort and d.from_zero for d in self.spec.orders):
            return "zero"
        return f"{sort[0].lower()}{sort[1:]}_{value}"

    def _state(self, name: str, args: list[str]) -> str:
        for v in sorted(self.spec.variables, key=lambda v: -len(v.name)):
            if name == v.name or (name.startswith(v.name) and name[len(v.name)] in "?.+-"):
                return self._part(v, name[len(v.name) :], args)
        return ""

    def _part(self, v: ir.VariableDecl, rest: str, args: list[str]) -> str:
        type_ = v.type
        if isinstance(type_, ty.Set) and isinstance(type_.item, ty.Message):
            return self._message(v.name.split()[0], type_.item, rest, args)
        text = v.name
        if v.name.startswith("moved ") and args:
            return f"{args[0]}.moved"
        if v.name.startswith("cut ") and len(args) == 2:
            return f"not {args[0]}.reaches({args[1]})"
        if v.role is not None and isinstance(type_, ty.Map) and args:
            text = f"{args[0]}.{v.name.removeprefix(f'{v.role}.')}"
            args, type_ = args[1:], type_.value
        while isinstance(type_, ty.Map) and args:
            text, args, type_ = f"{text}[{args[0]}]", args[1:], type_.value
        if isinstance(type_, ty.Set) and args:
            inside = ", ".join(args)
            return f"{inside if len(args) == 1 else f'({inside})'} in {text}"
        if isinstance(type_, ty.Seq):
            if rest.startswith(".length"):
                return f"length({text})"
            if rest.startswith(".at") and args:
                text, rest = f"{text}[{args[0]}]", rest.removeprefix(".at")
        if rest.endswith("?"):
            return f"{text}{rest.removesuffix('?')} != none"
        return f"{text}{rest}"

    def _message(self, word: str, type_: ty.Message, pattern: str, args: list[str]) -> str:
        """`sent M(…) from a to b`, or `flying M(…)`, the pattern saying which options have a value."""
        decl = next(m for m in self.spec.messages if m.name == type_.name)
        marks, rest = iter(pattern), iter(args)
        shown = {name: self._field(field_type, marks, rest) for name, field_type in decl.layout}
        inside = ", ".join(shown[name] for name, _ in decl.fields)
        ways = "".join(f" {way} {shown[way]}" for way in ("from", "to") if way in shown)
        return f"{word} {type_.name}({inside}){ways}"

    def _field(self, type_: ty.Type, marks: Iterator[str], rest: Iterator[str]) -> str:
        match type_:
            case ty.Option(item):
                return "none" if next(marks, "-") == "-" else self._field(item, marks, rest)
            case ty.Record(name):
                fields = next(r.fields for r in self.spec.records if r.name == name)
                return f"{name}({', '.join(self._field(ft, marks, rest) for _, ft in fields)})"
            case _:
                return str(next(rest, "_"))

"""Values given outside the file: `--set Name=value` pairs checked against a spec and put into an instance.

It only changes what an instance says; whether that can be explored is decided when the instance is made finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from checker.language import ir
from checker.language import types as ty
from checker.language.elements import position, prefixes
from checker.language.instances import LIMITS
from checker.source import Diagnostic, SpecError, did_you_mean

_T = TypeVar("_T")


def with_overrides(spec: ir.Spec, decl: ir.InstanceDecl, overrides: Mapping[str, str]) -> ir.InstanceDecl:
    """The instance with sizes, quorum families, constants and limits replaced by those given as text.

    An exact number of states is expected of the instance as written, so with any override `expect states` goes.
    Raises SpecError with a diagnostic for each value that does not fit (Q0502, Q0503).
    """
    if not overrides:
        return decl
    reader = _Reader(spec)
    for name, text in overrides.items():
        reader.read(name, text.strip())
    if reader.problems:
        raise SpecError(reader.problems)
    return replace(
        decl,
        sizes=_merged(decl.sizes, reader.sizes),
        quorums=_merged(decl.quorums, reader.quorums),
        constants=_merged(decl.constants, reader.constants),
        limits=_merged(decl.limits, reader.limits),
        expected=tuple(e for e in decl.expected if not isinstance(e, ir.ExpectStates)),
    )


def _merged(old: tuple[tuple[str, _T], ...], new: Mapping[str, _T]) -> tuple[tuple[str, _T], ...]:
    return tuple({**dict(old), **new}.items())


@dataclass
class _Reader:
    """Reads the values of one command line; problems are collected."""

    spec: ir.Spec
    sizes: dict[str, int] = field(default_factory=dict)
    quorums: dict[str, ir.Majorities | ir.OfSize | ir.Listed] = field(default_factory=dict)
    constants: dict[str, ir.Expr] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)

    def read(self, name: str, text: str) -> None:
        sorts = {d.name for d in (*self.spec.sorts, *self.spec.orders)}
        constants = {c.name: c for c in self.spec.constants}
        if name in sorts:
            self._size(name, text)
        elif name in constants:
            self._constant(constants[name], text)
        elif name in {q.name for q in self.spec.quorums}:
            self._quorum(name, text)
        elif name in LIMITS:
            self._limit(name, text)
        else:
            known = [*sorts, *constants, *(q.name for q in self.spec.quorums), *LIMITS]
            hint = did_you_mean(name, known) or "sizes of sorts and orders, quorums, constants and limits can be set"
            self.problems.append(
                Diagnostic("Q0502", f"`{self.spec.name}` has nothing called `{name}` to set", hint=hint)
            )

    def _wrong(self, name: str, text: str, wanted: str) -> None:
        message = f"`{name}` cannot be set to `{text}`"
        self.problems.append(Diagnostic("Q0503", message, hint=f"give {wanted}, as in `--set {name}=…`"))

    def _size(self, name: str, text: str) -> None:
        size = _integer(text)
        if size is None or size < 1:
            self._wrong(name, text, "a number of elements, 1 or more")
        else:
            self.sizes[name] = size

    def _limit(self, name: str, text: str) -> None:
        most = _integer(text)
        if most is None or most < 0:
            self._wrong(name, text, "a greatest number, 0 or more")
        else:
            self.limits[name] = most

    def _quorum(self, name: str, text: str) -> None:
        size = _integer(text)
        if text == "majority":
            self.quorums[name] = ir.Majorities()
        elif size is None:
            self._wrong(name, text, "`majority`, or how many members each quorum has")
        else:
            self.quorums[name] = ir.OfSize(ir.Const(type=ty.Int(), span=self.spec.span, value=size))

    def _constant(self, constant: ir.ConstantDecl, text: str) -> None:
        value = self._value(constant, constant.type, text)
        if value is None:
            self._wrong(constant.name, text, self._wanted(constant.type))
        else:
            self.constants[constant.name] = value

    def _value(self, constant: ir.ConstantDecl, type_: ty.Type, text: str) -> ir.Expr | None:
        """The text as a constant expression of the type, None if it is none."""
        found: int | bool | None = None
        match type_:
            case ty.Bool():
                found = {"true": True, "false": False}.get(text)
            case ty.Int() | ty.Range() | ty.Order():
                found = _integer(text)
            case ty.Sort(name):
                found = position(text, prefixes(s.name for s in self.spec.sorts)[name])
            case ty.Enum(name):
                values = next(e.values for e in self.spec.enums if e.name == name)
                found = values.index(text) if text in values else None
            case ty.Option(item):
                if text == "none":
                    return ir.NoneValue(type=type_, span=constant.span)
                inner = self._value(constant, item, text)
                return inner and ir.Lift(type=type_, span=constant.span, operand=inner)
            case _:
                return None
        erased = ty.erased(type_)
        return None if found is None else ir.Const(type=erased, span=constant.span, value=found)

    def _wanted(self, type_: ty.Type) -> str:
        match type_:
            case ty.Bool():
                return "`true` or `false`"
            case ty.Int() | ty.Range():
                return "an integer"
            case ty.Order(name):
                return f"the number of an element of `{name}`, from 0 on"
            case ty.Sort(name):
                return f"an element, such as `{prefixes(s.name for s in self.spec.sorts)[name]}0`"
            case ty.Enum(name):
                values = next(e.values for e in self.spec.enums if e.name == name)
                return "one of " + ", ".join(f"`{value}`" for value in values)
            case ty.Option(item):
                return f"`none`, or {self._wanted(item)}"
            case _:
                return f"a value in the file, for one of type `{ty.show(type_)}` is no single word"


def _integer(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None

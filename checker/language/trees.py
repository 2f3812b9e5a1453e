"""From reductions of the grammar to syntax trees: one method for each rule or alias of `grammar.lark`.

A method gets the span of its rule and the rule's symbols, keywords and punctuation included; it checks only what
the grammar cannot say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

from lark import Transformer, v_args

from checker.language import syntax as s
from checker.source import Diagnostic, Span, SpecError


@dataclass(frozen=True, slots=True)
class Leaf:
    """A token with its place; `type` is its terminal in the grammar."""

    type: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """Several values that a rule gathers for the rule above it."""

    span: Span
    items: tuple[Any, ...]


Symbol: TypeAlias = Leaf | Group | s.Tree


def _with_span(method: Callable[..., Any], _rule: str, symbols: list[Symbol | None], _meta: object) -> Any:
    present = [symbol for symbol in symbols if symbol is not None]
    return method(present[0].span.to(present[-1].span), *symbols)


def _word(leaf: Leaf) -> s.Word:
    return s.Word(leaf.span, leaf.text)


def _words(leaves: tuple[Symbol | None, ...]) -> tuple[s.Word, ...]:
    """The names among the symbols, as words."""
    return tuple(_word(leaf) for leaf in leaves if isinstance(leaf, Leaf) and leaf.type == "NAME")


def _trees(symbols: tuple[Symbol | None, ...]) -> tuple[Any, ...]:
    """The symbols that are trees or groups, without the punctuation between them."""
    return tuple(symbol for symbol in symbols if symbol is not None and not isinstance(symbol, Leaf))


def _items(group: Group | None) -> tuple[Any, ...]:
    return () if group is None else group.items


def _value(group: Group | None) -> Any:
    """The one value of an optional part such as `where …`, or None when the part is absent."""
    return None if group is None else group.items[0]


def _number(leaf: Leaf) -> int:
    return int(leaf.text)


@v_args(wrapper=_with_span)
class Builder(Transformer[Any, Any]):
    """Makes the trees of `checker.language.syntax`; raises `SpecError` where the grammar is too generous."""

    # --- parts shared by many rules -----------------------------------------------------------------

    def names(self, span: Span, *symbols: Leaf) -> Group:
        return Group(span, _words(symbols))

    def _last(self, span: Span, *symbols: Symbol) -> Group:
        """A keyword and the one thing that it introduces."""
        last = symbols[-1]
        return Group(span, (_word(last) if isinstance(last, Leaf) else last,))

    from_zero = without_proof = from_role = to_role = from_value = to_value = where = by = sent_from = sent_to = _last

    def _all(self, span: Span, *symbols: Symbol) -> Group:
        """The trees of a list in brackets or in a block."""
        return Group(span, _trees(symbols))

    fields = members = clauses = instance_lines = block = bindings = arguments = _all

    def _second(self, _span: Span, _first: Leaf, group: Group, *_rest: Symbol) -> Group:
        return group

    meets = premises = after_names = _second

    def proof_by(self, _span: Span, _by: Leaf, target: Group) -> Group:
        return target

    def parameters(self, span: Span, *symbols: Symbol | None) -> Group:
        return Group(span, tuple(binding for group in _trees(symbols) for binding in group.items))

    def clause(self, _span: Span, expression: s.ExprTree, _nl: Leaf) -> s.ExprTree:
        return expression

    # --- declarations -------------------------------------------------------------------------------

    def spec_head(self, span: Span, _spec: Leaf, name: Leaf, extends: s.Extends | None, _nl: Leaf) -> s.SpecHead:
        return s.SpecHead(span, _word(name), extends)

    def extends(self, span: Span, _extends: Leaf, bases: Group, without_proof: Group | None) -> s.Extends:
        return s.Extends(span, bases.items, with_proof=without_proof is None)

    def replace(self, span: Span, _replace: Leaf, item: Any) -> s.ReplaceItem:
        return s.ReplaceItem(span, item)

    def sort(self, span: Span, _sort: Leaf, name: Leaf, _nl: Leaf) -> s.SortItem:
        return s.SortItem(span, _word(name))

    def order(self, span: Span, _order: Leaf, name: Leaf, zero: Group | None, _nl: Leaf) -> s.OrderItem:
        return s.OrderItem(span, _word(name), zero is not None)

    def quorum(
        self, span: Span, _quorum: Leaf, name: Leaf, _of: Leaf, of: Leaf, meets: Group | None, _nl: Leaf
    ) -> s.QuorumItem:
        return s.QuorumItem(span, _word(name), _word(of), _items(meets))

    def enum(self, span: Span, _enum: Leaf, name: Leaf, _is: Leaf, values: Group, _nl: Leaf) -> s.EnumItem:
        return s.EnumItem(span, _word(name), values.items)

    def record(self, span: Span, _record: Leaf, name: Leaf, fields: Group, _nl: Leaf) -> s.RecordItem:
        return s.RecordItem(span, _word(name), fields.items)

    def field(self, span: Span, name: Leaf, _colon: Leaf, type_: s.TypeTree) -> s.Parameter:
        return s.Parameter(span, _word(name), type_)

    def message(
        self, span: Span, _message: Leaf, name: Leaf, fields: Group | None, sender: Group | None,
        receiver: Group | None, _nl: Leaf,
    ) -> s.MessageItem:  # fmt: skip
        return s.MessageItem(span, _word(name), _items(fields), _value(sender), _value(receiver))

    def network(self, span: Span, _network: Leaf, flags: Group, _nl: Leaf) -> s.NetworkItem:
        return s.NetworkItem(span, flags.items)

    def constant(
        self, span: Span, _constant: Leaf, name: Leaf, _colon: Leaf, type_: s.TypeTree, _nl: Leaf
    ) -> s.ConstantItem:
        return s.ConstantItem(span, _word(name), type_)

    def assume(
        self, span: Span, _assume: Leaf, expression: s.ExprTree, _nl: Leaf, clauses: Group | None
    ) -> s.PropertyItem:
        if clauses is None:
            return s.PropertyItem(span, "assume", None, (expression,))
        if not isinstance(expression, s.Name):
            message = "an `assume` with a formula on its line has no block"
            hint = "put all formulas into the block, or end the line in an operator"
            raise SpecError([Diagnostic("Q0101", message, clauses.span.to(clauses.items[0].span), hint)])
        return s.PropertyItem(span, "assume", s.Word(expression.span, expression.text), clauses.items)

    def assume_block(self, span: Span, _assume: Leaf, _nl: Leaf, clauses: Group) -> s.PropertyItem:
        return s.PropertyItem(span, "assume", None, clauses.items)

    def variable(
        self, span: Span, kind: Leaf, name: Leaf, _colon: Leaf, type_: s.TypeTree, _is: Leaf, initial: s.ExprTree,
        _nl: Leaf,
    ) -> s.VariableItem:  # fmt: skip
        return s.VariableItem(span, cast(Any, kind.text), _word(name), type_, initial)

    def variable_any(
        self, span: Span, kind: Leaf, name: Leaf, _colon: Leaf, type_: s.TypeTree, _is: Leaf, _any: Leaf, _nl: Leaf
    ) -> s.VariableItem:
        return s.VariableItem(span, cast(Any, kind.text), _word(name), type_, None)

    def role(self, span: Span, _role: Leaf, name: Leaf, _nl: Leaf, members: Group | None) -> s.RoleItem:
        return s.RoleItem(span, _word(name), _items(members))

    def handler(
        self, span: Span, _on: Leaf, message: Leaf, parameter: s.Word | None, _nl: Leaf, block: Group
    ) -> s.HandlerItem:
        return s.HandlerItem(span, _word(message), parameter, block.items)

    def fault(self, span: Span, _fault: Leaf, kind: Leaf, where: Group | None, _nl: Leaf) -> s.FaultItem:
        return s.FaultItem(span, _word(kind), _value(where))

    def parameter(self, _span: Span, _open: Leaf, name: Leaf, _close: Leaf) -> s.Word:
        return _word(name)

    def action(
        self, span: Span, kind: Leaf, name: Leaf, parameters: Group | None, _nl: Leaf, block: Group
    ) -> s.ActionItem:
        return s.ActionItem(span, cast(Any, kind.text), _word(name), _items(parameters), block.items)

    def define(
        self, span: Span, _define: Leaf, name: Leaf, parameters: Group | None, _is: Leaf, body: s.ExprTree, _nl: Leaf
    ) -> s.DefineItem:
        return s.DefineItem(span, _word(name), _items(parameters), body)

    def after(
        self, span: Span, _after: Leaf, target: Group, names: Group | None, _nl: Leaf, block: Group
    ) -> s.AfterItem:
        return s.AfterItem(span, target.items, _items(names), block.items)

    def after_target(self, span: Span, *symbols: Leaf) -> Group:
        return Group(span, tuple(_word(leaf) for leaf in symbols if leaf.text != "."))

    def property(self, span: Span, kind: Leaf, name: Leaf, _nl: Leaf, clauses: Group) -> s.PropertyItem:
        return s.PropertyItem(span, cast(Any, kind.text), _word(name), clauses.items)

    def terminal(self, span: Span, _terminal: Leaf, name: Leaf | None, _nl: Leaf, clauses: Group) -> s.PropertyItem:
        return s.PropertyItem(span, "terminal", None if name is None else _word(name), clauses.items)

    def proof(
        self, span: Span, _proof: Leaf, name: Leaf, step: Group | None, premises: Group, _nl: Leaf
    ) -> s.ProofItem:
        return s.ProofItem(span, _word(name), _items(step), premises.items)

    def proof_block(self, span: Span, _proof: Leaf, name: Leaf, step: Group | None, *symbols: Symbol) -> s.ProofItem:
        premises = tuple(word for group in _trees(symbols) for word in group.items)
        return s.ProofItem(span, _word(name), _items(step), premises)

    def premise_line(self, _span: Span, premises: Group, _nl: Leaf) -> Group:
        return premises

    # --- instances ----------------------------------------------------------------------------------

    def instance(self, span: Span, _instance: Leaf, name: Leaf, _nl: Leaf, lines: Group | None) -> s.InstanceItem:
        return s.InstanceItem(span, _word(name), _items(lines))

    def setting(self, span: Span, name: Leaf, *symbols: Symbol) -> s.Setting | s.QuorumListed:
        values: tuple[s.ExprTree, ...] = _trees(symbols)
        members = tuple(_set_of_names(value) for value in values)
        if all(members):
            return s.QuorumListed(span, _word(name), cast(Any, members))
        if len(values) > 1:
            wrong = next(value for value, names in zip(values, members, strict=True) if not names)
            hint = "list quorums as sets of elements: `Q = {a0, a1}, {a1, a2}`"
            raise SpecError([Diagnostic("Q0101", "only quorums have several values", wrong.span, hint)])
        return s.Setting(span, _word(name), values[0])

    def quorum_of_size(
        self, span: Span, name: Leaf, _is: Leaf, size: s.ExprTree, _of: Leaf, of: Leaf, _nl: Leaf
    ) -> s.QuorumOfSize:
        return s.QuorumOfSize(span, _word(name), size, _word(of))

    def limit(self, span: Span, name: Leaf, _most: Leaf, number: Leaf, _nl: Leaf) -> s.Limit:
        return s.Limit(span, _word(name), _number(number))

    def check(self, span: Span, _check: Leaf, names: Group, _nl: Leaf) -> s.CheckLine:
        return s.CheckLine(span, names.items)

    def allow_deadlock(self, span: Span, *_symbols: Leaf) -> s.AllowDeadlock:
        return s.AllowDeadlock(span)

    def expect_states(self, span: Span, _expect: Leaf, _states: Leaf, number: Leaf, _nl: Leaf) -> s.ExpectLine:
        return s.ExpectLine(span, "states", None, _number(number))

    def expect_violated(
        self, span: Span, _expect: Leaf, _violated: Leaf, name: Leaf, steps: Group | None, _nl: Leaf
    ) -> s.ExpectLine:
        return s.ExpectLine(span, "violated", _word(name), _value(steps))

    def after_steps(self, span: Span, _after: Leaf, number: Leaf, _steps: Leaf) -> Group:
        return Group(span, (_number(number),))

    def expect_unreachable(self, span: Span, _expect: Leaf, _kind: Leaf, name: Leaf, _nl: Leaf) -> s.ExpectLine:
        return s.ExpectLine(span, "unreachable", _word(name), None)

    # --- statements ---------------------------------------------------------------------------------

    def require(self, span: Span, _require: Leaf, condition: s.ExprTree, _nl: Leaf) -> s.RequireStatement:
        return s.RequireStatement(span, condition)

    def let(self, span: Span, _let: Leaf, name: Leaf, _is: Leaf, value: s.ExprTree, _nl: Leaf) -> s.LetStatement:
        return s.LetStatement(span, _word(name), value)

    def pick(self, span: Span, _pick: Leaf, binding: s.Binding, where: Group | None, _nl: Leaf) -> s.PickStatement:
        return s.PickStatement(span, binding, _value(where))

    def assign(self, span: Span, target: s.ExprTree, _becomes: Leaf, value: s.ExprTree, _nl: Leaf) -> s.AssignStatement:
        place: object = target
        while isinstance(place, s.Dot | s.Subscript):
            place = place.operand
        if not isinstance(place, s.Name):
            message = f"`{target.span.text}` is nothing that can be assigned to"
            hint = "assign to a variable, a field (`x.f := …`) or an entry (`x[k] := …`)"
            raise SpecError([Diagnostic("Q0111", message, target.span, hint)])
        return s.AssignStatement(span, target, value)

    def send(
        self, span: Span, _send: Leaf, message: Leaf, arguments: Group | None, sender: Group | None,
        receiver: Group | None, _nl: Leaf,
    ) -> s.SendStatement:  # fmt: skip
        return s.SendStatement(span, _word(message), _items(arguments), _value(sender), _value(receiver))

    def send_each(
        self, span: Span, _send: Leaf, message: Leaf, arguments: Group | None, sender: Group | None, _to: Leaf,
        _each: Leaf, each: s.Binding, where: Group | None, _nl: Leaf,
    ) -> s.SendStatement:  # fmt: skip
        return s.SendStatement(span, _word(message), _items(arguments), _value(sender), None, each, _value(where))

    def call(self, span: Span, called: s.ExprTree, _nl: Leaf) -> s.CallStatement:
        if isinstance(called, s.Apply):
            return s.CallStatement(span, called.name, called.arguments)
        if isinstance(called, s.Name):
            hint = f"a procedure is called with parentheses: `{called.text}()`"
        else:
            hint = "a statement assigns (`x := …`), requires, sends, picks, or calls a procedure"
        raise SpecError([Diagnostic("Q0111", f"`{called.span.text}` alone is no statement", called.span, hint)])

    def if_statement(
        self, span: Span, _if: Leaf, condition: s.ExprTree, _nl: Leaf, body: Group, *rest: Group | None
    ) -> s.IfStatement:
        *elifs, otherwise = rest
        branches = ((condition, body.items), *(branch.items for branch in elifs if branch is not None))
        return s.IfStatement(span, branches, _items(otherwise))

    def elif_branch(self, span: Span, _elif: Leaf, condition: s.ExprTree, _nl: Leaf, body: Group) -> Group:
        return Group(span, (condition, body.items))

    def else_block(self, span: Span, _else: Leaf, _nl: Leaf, body: Group) -> Group:
        return Group(span, body.items)

    def skip(self, span: Span, *_symbols: Leaf) -> s.SkipStatement:
        return s.SkipStatement(span)

    # --- binders and types --------------------------------------------------------------------------

    def binding(self, span: Span, names: Group, _in: Leaf, domain: s.DomainTree) -> s.Binding:
        return s.Binding(span, names.items, domain)

    def member_of(self, span: Span, name: Leaf, _in: Leaf, domain: s.DomainTree) -> s.Binding:
        return s.Binding(span, (_word(name),), domain)

    def named_type(self, span: Span, name: Leaf) -> s.NamedType:
        return s.NamedType(span, name.text)

    def generic(self, span: Span, name: Leaf, *symbols: Symbol) -> s.GenericType:
        return s.GenericType(span, name.text, _trees(symbols))

    def range(self, span: Span, low: s.ExprTree, _to: Leaf, high: s.ExprTree) -> s.RangeType:
        return s.RangeType(span, low, high)

    def option(self, span: Span, item: s.TypeTree, _mark: Leaf) -> s.OptionType:
        return s.OptionType(span, item)

    def option_domain(self, span: Span, item: s.ExprTree, _mark: Leaf) -> s.OptionType:
        if not isinstance(item, s.Name):
            hint = "only a type is made optional with `?`"
            raise SpecError([Diagnostic("Q0101", "`?` stands after an expression", span, hint)])
        return s.OptionType(span, s.NamedType(item.span, item.text))

    # --- expressions --------------------------------------------------------------------------------

    def number(self, span: Span, number: Leaf) -> s.Number:
        return s.Number(span, _number(number))

    def name(self, span: Span, name: Leaf) -> s.Name:
        return s.Name(span, name.text)

    def apply(self, span: Span, name: Leaf, arguments: Group) -> s.Apply:
        return s.Apply(span, _word(name), arguments.items)

    def wildcard(self, span: Span, _wildcard: Leaf) -> s.Wildcard:
        return s.Wildcard(span)

    def group(self, span: Span, _open: Leaf, inner: s.ExprTree, _close: Leaf) -> s.ExprTree:
        return replace(inner, span=span)

    def dot(self, span: Span, operand: s.ExprTree, _dot: Leaf, name: Leaf) -> s.Dot:
        return s.Dot(span, operand, _word(name))

    def method(self, span: Span, operand: s.ExprTree, _dot: Leaf, name: Leaf, arguments: Group) -> s.Method:
        return s.Method(span, operand, _word(name), arguments.items)

    def subscript(self, span: Span, operand: s.ExprTree, _open: Leaf, key: s.ExprTree, _close: Leaf) -> s.Subscript:
        return s.Subscript(span, operand, key)

    def slice(self, span: Span, operand: s.ExprTree, _open: Leaf, _to: Leaf, end: s.ExprTree, _close: Leaf) -> s.Slice:
        return s.Slice(span, operand, end)

    def unary(self, span: Span, operator: Leaf, operand: s.ExprTree) -> s.Unary:
        return s.Unary(span, cast(Any, operator.text), operand)

    def operation(self, span: Span, left: s.ExprTree, operator: Leaf, right: s.ExprTree) -> s.Operation:
        return s.Operation(span, operator.text, left, right)

    def disjunction(self, span: Span, *symbols: Symbol) -> s.Connective:
        return s.Connective(span, "or", _trees(symbols))

    def conjunction(self, span: Span, *symbols: Symbol) -> s.Connective:
        return s.Connective(span, "and", _trees(symbols))

    def comparison(self, span: Span, *symbols: Any) -> s.Comparison:
        return s.Comparison(span, tuple(symbols[::2]), tuple(leaf.text for leaf in symbols[1::2]))

    def comparator(self, span: Span, *words: Leaf) -> Leaf:
        return Leaf("comparator", " ".join(word.text for word in words), span)

    def conditional(
        self, span: Span, _if: Leaf, condition: s.ExprTree, _then: Leaf, then: s.ExprTree, _else: Leaf,
        otherwise: s.ExprTree,
    ) -> s.Conditional:  # fmt: skip
        return s.Conditional(span, condition, then, otherwise)

    def quantifier(
        self, span: Span, kind: Leaf, bindings: Group, where: Group | None, _colon: Leaf, body: s.ExprTree
    ) -> s.Quantifier:
        return s.Quantifier(span, cast(Any, kind.text), bindings.items, _value(where), body)

    def extremum(self, span: Span, kind: Leaf, binding: s.Binding, where: Group | None, by: Group | None) -> s.Extremum:
        return s.Extremum(span, cast(Any, kind.text), binding, _value(where), _value(by))

    def sent_domain(self, span: Span, sent: Leaf, message: Leaf) -> s.SentDomain:
        return s.SentDomain(span, _word(message), sent.text == "flying")

    def sent(
        self, span: Span, sent: Leaf, message: Leaf, arguments: Group, sender: Group | None, receiver: Group | None
    ) -> s.Sent:
        ends = _value(sender), _value(receiver)
        return s.Sent(span, _word(message), arguments.items, *ends, sent.text == "flying")

    def sent_between(self, span: Span, sent: Leaf, message: Leaf, sender: Group, receiver: Group | None) -> s.Sent:
        return s.Sent(span, _word(message), None, _value(sender), _value(receiver), sent.text == "flying")

    def sent_to_only(self, span: Span, sent: Leaf, message: Leaf, receiver: Group) -> s.Sent:
        return s.Sent(span, _word(message), None, None, _value(receiver), sent.text == "flying")

    def set_display(self, span: Span, *symbols: Symbol) -> s.SetDisplay:
        return s.SetDisplay(span, _trees(symbols))

    def set_filter(
        self, span: Span, _open: Leaf, binding: s.Binding, _bar: Leaf, condition: s.ExprTree, _close: Leaf
    ) -> s.SetFilter:
        return s.SetFilter(span, binding, condition)

    def set_image(
        self, span: Span, _open: Leaf, item: s.ExprTree, _for: Leaf, bindings: Group, where: Group | None, _close: Leaf
    ) -> s.SetImage:
        return s.SetImage(span, item, bindings.items, _value(where))

    def seq_display(self, span: Span, *symbols: Symbol) -> s.SeqDisplay:
        return s.SeqDisplay(span, _trees(symbols))

    def map_image(
        self, span: Span, _open: Leaf, binding: s.Binding, _arrow: Leaf, value: s.ExprTree, _close: Leaf
    ) -> s.MapImage:
        return s.MapImage(span, binding, value)


def _set_of_names(value: s.ExprTree) -> tuple[s.Word, ...]:
    """The elements in `{a0, a1}` or `{0, 1}`, by their names; empty for every other expression."""
    if not isinstance(value, s.SetDisplay):
        return ()
    words = (_element(item) for item in value.items)
    found = tuple(word for word in words if word is not None)
    return found if len(found) == len(value.items) else ()


def _element(item: s.ExprTree) -> s.Word | None:
    match item:
        case s.Name(span, text):
            return s.Word(span, text)
        case s.Number(span, number):
            return s.Word(span, str(number))
        case _:
            return None

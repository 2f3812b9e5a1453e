"""Why a line could not be parsed, in sentences for people.

A `Failure` says where the parser stopped and what it would have taken; `explain` names the mistake where it knows it,
or else says what was expected after what, and shows how the construct at hand is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from checker.language.layout import Lexeme, words
from checker.source import Diagnostic, Span, did_you_mean


@dataclass(frozen=True, slots=True)
class Failure:
    """Where the parser stopped.

    `found` is the text of the word, number or symbol, or the name of a layout token (`_NL`, `_INDENT`, `_DEDENT`,
    `$END`); `span` is its place. `line` is the logical line, and `index` counts its lexemes before the place.
    `head` is the line before, which matters when a block is missing or unwanted. `expected` holds texts of keywords
    and symbols, and the terminals NAME, NUMBER, _NL, _INDENT, _DEDENT, $END. `start` says what was to be parsed.
    """

    found: str
    span: Span
    line: Sequence[Lexeme]
    index: int
    head: Sequence[Lexeme]
    expected: frozenset[str]
    start: str

    @property
    def first(self) -> str:
        return self.line[0].text

    @property
    def previous(self) -> Lexeme | None:
        return self.line[self.index - 1] if self.index else None

    @property
    def at_end(self) -> bool:
        return self.index == len(self.line)

    def says(self, message: str, hint: str | None = None, code: str = "Q0101") -> Diagnostic:
        return Diagnostic(code, message, self.span, hint)


def explain(failure: Failure) -> Diagnostic:
    """The diagnostic for a failure: the most telling of the known mistakes, else what was expected where."""
    for known in (_block, _equals, _else, _beginning, _formula, _colon, _habit, _reserved):
        diagnostic = known(failure)
        if diagnostic is not None:
            return diagnostic
    return _expectation(failure)


# --- known mistakes of layout and lines -------------------------------------------------------------

_KEYWORDS = {
    "item": words(
        """spec sort order quorum enum record message network constant assume state ghost role action timeout procedure
        define after invariant lemma step reachable terminal proof instance replace"""
    ),
    "member": words("durable volatile ghost on action timeout procedure define fault replace"),
    "statement": words("require let pick send if elif else skip"),
    "instance_line": words("check allow expect"),
    "premise_line": words("from"),
}
_PLACES = {
    "item": "declaration",
    "member": "member of a role",
    "statement": "statement",
    "instance_line": "line of an instance",
    "premise_line": "line of a proof",
}
_EXAMPLES = {
    "item": "declarations begin with a word such as `state`, `message`, `role`, `action` or `invariant`",
    "member": "in a role stand its `durable` and `volatile` fields, `on`, `action`, `timeout`, `define` and `fault`",
    "statement": "statements are `x := …`, `require`, `let`, `pick`, `send`, `if`, `skip` and calls such as `reset()`",
    "instance_line": "lines of an instance are `Name = value`, `crashes <= 1`, `check`, `allow deadlock` and `expect`",
    "premise_line": "a proof names what it rests on: `from LemmaA, LemmaB`",
}
_ELSEWHERE = {
    "item": "`{}` begins a declaration: let it begin at the left margin",
    "member": "`{}` belongs into the block of a `role`",
    "statement": "`{}` begins a statement: indent it below its `action`, `on` or `procedure`",
    "instance_line": "`{}` belongs into the block of an `instance`",
    "premise_line": "`{}` belongs into the block of a `proof`",
}
# Words of other languages, and what stands for them here.
_FOREIGN = {
    "import": "a spec builds on another by `spec Name extends base`",
    "include": "a spec builds on another by `spec Name extends base`",
    "extends": "it stands behind the name of the spec: `spec Name extends base`",
    "module": "a file begins with `spec` and a name",
    "while": "there are no loops: quantify, build a set, or `send … to each`",
    "for": "there are no loops: quantify, build a set, or `send … to each`",
    "return": "a `define` is its expression; a procedure returns nothing",
    "assert": "a condition on all states is an `invariant`; a condition on a step is a `require`",
    "var": "variables are declared with `state`, fields of a role with `durable` or `volatile`",
    "variable": "variables are declared with `state`, fields of a role with `durable` or `volatile`",
    "variables": "variables are declared with `state`, fields of a role with `durable` or `volatile`",
    "const": "constants are declared with `constant`",
    "init": "each variable has its initial value in its declaration: `state x: T = value`",
    "process": "what nodes do is described in a `role`",
    "struct": "a record is declared like this: `record Vote(ballot: Ballot, value: Value)`",
    "type": "types are declared with `sort`, `order`, `enum` or `record`",
    "function": "a function is declared with `define`",
    "def": "a function is declared with `define`",
    "property": "a property is an `invariant`, a `step`, or a `reachable`",
    "theorem": "what is to be proved is an `invariant` or a `lemma`",
    "temporal": "there are no temporal formulas; a property of steps is a `step` with `old(…)`",
}  # fmt: skip


def _block(failure: Failure) -> Diagnostic | None:
    """A block too many or too few."""
    head = failure.head
    if failure.found == "_INDENT":
        hint = "align it with its block; a line goes on when it ends in an operator, a comma or an open bracket"
        return failure.says(f"unexpected indentation: `{head[0].text}` opens no block here", hint, "Q0102")
    if "_INDENT" in failure.expected and failure.found != "_NL":
        named = len(head) > 1 and head[0].text in _KEYWORDS["item"] | _KEYWORDS["member"]
        title = f"{head[0].text} {head[1].text}" if named else head[0].text
        hint = "indent the lines that belong to it by four spaces"
        return Diagnostic("Q0112", f"`{title}` has no block", head[0].span.to(head[-1].span), hint)
    return None


def _else(failure: Failure) -> Diagnostic | None:
    """`else` and `then` of expressions mixed up with those of statements."""
    if failure.start != "statement":
        return None
    if failure.index == 0 and failure.found in ("elif", "else"):
        return failure.says(f"`{failure.found}` without an `if` before it", "align it with its `if`")
    if failure.first == "else" and failure.found == "if":
        return failure.says("`else if` is written as one word", "write `elif`")
    if failure.first in ("if", "elif") and failure.found == "then" and "_NL" in failure.expected:
        return failure.says("an `if` with a block takes no `then`", "delete it; `if c then a else b` is an expression")
    return None


def _beginning(failure: Failure) -> Diagnostic | None:
    """A line that begins with a word that begins nothing there."""
    start, first = failure.start, failure.line[0]
    if start not in _KEYWORDS or first.kind != "word" or failure.index > 1 or first.text in _KEYWORDS[start]:
        return None
    second_is_word = len(failure.line) > 1 and failure.line[1].kind == "word"
    if failure.index == 1 and not (second_is_word and failure.found == failure.line[1].text):
        return None
    if first.text in _EXPRESSION_WORDS or (failure.index == 1 and failure.line[1].text in _EXPRESSION_WORDS):
        return None
    places = [place for place, keywords in _KEYWORDS.items() if first.text in keywords]
    close = did_you_mean(first.text, _KEYWORDS[start])
    if first.text == "state" and start == "member":
        hint = "a field of a role is `durable` or `volatile`"
    elif (first.text == "durable" and start == "item") or (first.text == "volatile" and start == "item"):
        hint = f"`{first.text}` belongs into the block of a `role`; outside of roles, write `state`"
    elif places:
        hint = _ELSEWHERE[places[0]].format(first.text)
    else:
        hint = _FOREIGN.get(first.text) or close or _EXAMPLES[start]
    return Diagnostic("Q0106", f"`{first.text}` begins no {_PLACES[start]}", first.span, hint)


def _formula(failure: Failure) -> Diagnostic | None:
    """A formula, or anything else that does nothing, where a statement or declaration should be."""
    start, line = failure.start, failure.line
    if start not in _KEYWORDS or line[0].text in _KEYWORDS[start]:
        return None
    whole = line[0].span.to(line[-1].span)
    if start == "statement" and failure.found == ",":
        return failure.says("an assignment has one target", "write one line for each variable", "Q0111")
    if start == "statement" and (failure.index == 0 or ":=" in failure.expected):
        arrow = any(a.text == "<" and b.text == "-" for a, b in pairwise(line))
        hint = "begin it with `require` to make it a condition, or assign with `:=`"
        return Diagnostic("Q0111", "a formula alone is no statement", whole, "write `:=` to assign" if arrow else hint)
    if failure.index == 0:
        return Diagnostic("Q0106", f"this is no {_PLACES[start]}", whole, _EXAMPLES[start])
    return None


def _colon(failure: Failure) -> Diagnostic | None:
    heads = (_KEYWORDS["item"] | words("on if elif else")) - words("state ghost constant")
    if failure.found == ":" and "_NL" in failure.expected and failure.first in heads:
        hint = "delete it, and put what follows on indented lines of its own"
        return failure.says("the head of a block takes no colon", hint, "Q0110")
    return None


# --- known mistakes within a line -------------------------------------------------------------------

_EXPRESSION_WORDS = words("and or not in union intersect minus subset forall exists then where the")


def _equals(failure: Failure) -> Diagnostic | None:
    """The three signs for three ideas, mixed up."""
    first = failure.first
    match failure.found:
        case "=" if ":=" in failure.expected:
            return failure.says("`=` defines, it does not assign", "write `:=` to assign, `==` to compare", "Q0104")
        case "=" if "==" in failure.expected:
            return failure.says("`=` defines, it does not compare", "write `==` to compare", "Q0104")
        case ":=" | "==" if "=" in failure.expected:
            hint = "write `=`; `:=` assigns, and `==` compares"
            return failure.says(f"`{first}` gives a value with `=`", hint, "Q0104")
        case ":=" if "==" in failure.expected:
            hint = "write `==` to compare; an assignment is a statement of its own"
            return failure.says("`:=` assigns, and a formula assigns nothing", hint, "Q0104")
        case "==" if ":=" in failure.expected:
            hint = "write `:=` to assign, or begin the line with `require` to make it a condition"
            return failure.says("`==` compares, and a comparison alone is no statement", hint, "Q0104")
        case _:
            return None


def _habit(failure: Failure) -> Diagnostic | None:
    """Symbols that exist, in a place where another language has them."""
    previous = failure.previous.text if failure.previous is not None else ""
    in_formula = "and" in failure.expected
    match failure.found:
        case "not" if not in_formula and "forall" in failure.expected:
            return failure.says(f"`not` after `{previous}` needs parentheses", f"write `{previous} (not …)`")
        case "->" if in_formula:
            return failure.says("`->` is no operator", "an implication is written `=>`")
        case "|" if in_formula:
            return failure.says("`|` is no operator", "write `or`")
        case "?" if in_formula:
            return failure.says("`?` is no operator", "a choice is written `if c then a else b`")
        case ".." if in_formula:
            hint = "write `low <= x and x <= high`; ranges stand in types and after the `in` of a binder"
            return failure.says("a range is no value", hint)
        case ":" if "in" in failure.expected and failure.first in words("action timeout procedure define"):
            return failure.says("a parameter says `in`, not `:`", f"write `{previous} in …`")
        case found if previous == "." and found.isdigit():
            return failure.says("numbers are integers", "scale the values so that they need no fractions")
        case "_NL" if "=" in failure.expected and failure.first in words("state ghost durable volatile"):
            hint = "add `= value`, or `= any` to start with every value of the type"
            return failure.says(f"`{failure.line[1].text}` has no initial value", hint)
        case _:
            return None


def _reserved(failure: Failure) -> Diagnostic | None:
    if "NAME" in failure.expected and "forall" not in failure.expected and failure.found in _EXPRESSION_WORDS:
        return failure.says(f"`{failure.found}` is a reserved word and cannot be a name here", "choose another name")
    return None


# --- what was expected ------------------------------------------------------------------------------

# What may end an expression, the most telling first.
_CLOSING = (":", "then", "else", "|", "->", ")", "]", "}", "=", ":=", "_NL")
# How each construct is written, by the word that begins it.
_SHAPES = {
    "spec": "`spec Name`, or `spec Name extends base`, or `spec Name extends base, another`",
    "replace": "`replace`, and then a declaration of the same name as in the spec that this one extends",
    "sort": "`sort Value`",
    "order": "`order Ballot` or `order Term from zero`",
    "quorum": "`quorum Quorum of Acceptor`",
    "enum": "`enum Phase = idle, waiting`",
    "record": "`record Vote(ballot: Ballot, value: Value)`",
    "message": "`message Promise(ballot: Ballot) from Acceptor to Proposer`",
    "network": "`network lossy, duplicating, reordering`",
    "constant": "`constant N: Int`",
    "assume": "`assume N > 0`",
    "state": "`state count: 0..N = 0`",
    "ghost": "`ghost seen: Set[Ballot] = {}`",
    "durable": "`durable promised: Ballot? = none`",
    "volatile": "`volatile leading: Bool = false`",
    "fault": "`fault stop`, or `fault stop where self in faulty`",
    "role": "`role Acceptor`, with its members on indented lines below",
    "on": "`on Prepare(m)`, with statements on indented lines below",
    "action": "`action propose(b in Ballot, v in Value)`, with statements on indented lines below",
    "timeout": "`timeout expire(n in Node)`, with statements on indented lines below",
    "procedure": "`procedure accept(v in Value)`, with statements on indented lines below",
    "define": "`define chosen(v in Value) = …`",
    "after": "`after prepare(b)` or `after Acceptor.on Accept(a, m)`, with statements on indented lines below",
    "invariant": "`invariant Agreement`, with formulas on indented lines below",
    "lemma": "`lemma OneVote`, with formulas on indented lines below",
    "step": "`step TermsGrow`, with formulas on indented lines below",
    "reachable": "`reachable SomethingIsChosen`, with formulas on indented lines below",
    "terminal": "`terminal`, with formulas on indented lines below",
    "proof": "`proof Agreement from LemmaA, LemmaB`",
    "instance": "`instance small`, with lines such as `Acceptor = 3` below",
    "require": "`require promised < m.ballot`",
    "let": "`let x = value`",
    "pick": "`pick v in Value where free(v)`",
    "send": "`send Promise(m.ballot, voted) to m.from`",
    "skip": "`skip`, alone",
    "check": "`check Agreement, Validity`",
    "allow": "`allow deadlock`",
    "expect": "`expect states 3921`, `expect violated Agreement after 12 steps` or `expect unreachable Done`",
    "forall": "`forall x in S: condition`",
    "exists": "`exists x in S: condition`",
    "max": "`max x in S by x.key`",
    "min": "`min x in S by x.key`",
    "sent": "`sent Promise(b, _) from a`",
    "{": "`{a, b}`, `{x in S | condition}` or `{value for x in S where condition}`",
    "[": "`[a, b]` or `[k in K -> value]`",
    "if": "`if c then a else b`",
}


def _expectation(failure: Failure) -> Diagnostic:
    previous = failure.previous
    place = f" after `{previous.text}`" if previous is not None else ""
    stop = "the line ends too early" if failure.at_end else f"unexpected `{failure.found}`"
    return failure.says(f"{stop}: expected {_wanted(failure)}{place}", _shape(failure) or _advice(failure))


def _advice(failure: Failure) -> str:
    """The way out where no construct is at hand whose shape could be shown."""
    if "forall" in failure.expected and failure.previous is not None:
        return f"complete the expression, or delete `{failure.previous.text}`"
    if "_NL" in failure.expected:
        return f"delete `{failure.found}`" + ("; two formulas are joined by `and`" if "and" in failure.expected else "")
    return "complete it; `quorate explain Q0101` tells more"


def _wanted(failure: Failure) -> str:
    """What the parser would have taken, from most to least telling."""
    expected, previous = failure.expected, failure.previous
    if "forall" in expected:
        return "a type or a set" if "Set" in expected else "an expression"
    if {"NAME", "NUMBER", "("} <= expected:
        return "a type" if previous is not None and previous.text in (":", "[", ",") else "a number"
    closing = [text for text in _CLOSING if text in expected]
    if closing and closing[0] in (")", "]", "}") and "," in expected:
        closing.insert(0, ",")
    if "and" in expected or "*" in expected:
        operator = "an operator" if "and" in expected else ""
        return " or ".join(filter(None, (_listed(closing), operator)))
    return _listed([*closing, *sorted(expected - {*closing, "?"})])


def _listed(names: Sequence[str]) -> str:
    """`a`, `b` or `c`, with words for what has no text."""
    layout = {
        "NAME": "a name", "NUMBER": "a number", "_NL": "the end of the line", "_INDENT": "an indented block",
        "_DEDENT": "the end of the block", "$END": "the end of the block",
    }  # fmt: skip
    shown = list(dict.fromkeys(layout.get(name, f"`{name}`") for name in names))
    return " or ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def _shape(failure: Failure) -> str | None:
    """How the innermost construct around the place is written."""
    closed = 0  # brackets closed between the lexeme looked at and the place
    for position in range(failure.index - 1, -1, -1):
        text = failure.line[position].text
        if text in (")", "]", "}"):
            closed += 1
        elif text in ("(", "[", "{") and closed:
            closed -= 1
        elif text == "{" or (text == "[" and (position == 0 or failure.line[position - 1].kind != "word")):
            return f"brackets are written like this: {_SHAPES[text]}"
        elif not closed and text in _SHAPES and text != "[" and not (text == "if" and failure.start == "statement"):
            return f"`{text}` is written like this: {_SHAPES[text]}"
    return None

"""Why a line could not be parsed, in sentences for people.

A `Failure` says where the parser stopped and what it would have taken; `explain` names the mistake, or at least what
was expected after what, and shows how the construct at hand is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checker.language.layout import Lexeme, words
from checker.source import Diagnostic, Span, did_you_mean


@dataclass(frozen=True, slots=True)
class Failure:
    """Where the parser stopped.

    `found` is the text of the word, number or symbol, or the name of a layout token (`_NL`, `_INDENT`, `_DEDENT`,
    `$END`); `span` is its place. `line` is the logical line, and `index` counts its lexemes before the place.
    `head` is the line before, which matters when a block is missing or unwanted. `expected` holds texts of keywords
    and symbols, and the terminals NAME, NUMBER, _NL, _INDENT, _DEDENT. `start` says what was to be parsed.
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
        return self.line[0].text if self.line else ""

    @property
    def previous(self) -> Lexeme | None:
        return self.line[self.index - 1] if self.index else None

    @property
    def is_word(self) -> bool:
        return self.index < len(self.line) and self.line[self.index].kind == "word"


_PLACES = {
    "item": "a declaration",
    "member": "a member of a role",
    "statement": "a statement",
    "clause": "a formula",
    "instance_line": "a line of an instance",
    "premise_line": "a `from` line",
}
_KEYWORDS = {
    "item": "spec sort order quorum enum record message network constant assume state ghost role action timeout "
    "procedure define after invariant lemma step reachable terminal proof instance",
    "member": "durable volatile ghost on action timeout procedure define",
    "statement": "require let pick send if elif else skip",
    "instance_line": "check allow expect",
    "premise_line": "from",
}
# How each construct is written, by the word that begins it.
_SHAPES = {
    "spec": "spec Name",
    "sort": "sort Value",
    "order": "order Ballot` or `order Term from zero",
    "quorum": "quorum Quorum of Acceptor",
    "enum": "enum Phase = idle, waiting",
    "record": "record Vote(ballot: Ballot, value: Value)",
    "message": "message Promise(ballot: Ballot) from Acceptor to Proposer",
    "network": "network lossy, duplicating, reordering",
    "constant": "constant N: Int",
    "assume": "assume N > 0",
    "state": "state count: 0..N = 0",
    "ghost": "ghost seen: Set[Ballot] = {}",
    "durable": "durable promised: Ballot? = none",
    "volatile": "volatile leading: Bool = false",
    "role": "role Acceptor",
    "on": "on Prepare(m)",
    "action": "action propose(b in Ballot, v in Value)",
    "timeout": "timeout expire(n in Node)",
    "procedure": "procedure accept(v in Value)",
    "define": "define chosen(v in Value) = …",
    "after": "after prepare(b)` or `after Acceptor.on Accept(a, m)",
    "invariant": "invariant Agreement`, with formulas on indented lines below",
    "lemma": "lemma OneVote`, with formulas on indented lines below",
    "step": "step TermsGrow`, with formulas on indented lines below",
    "reachable": "reachable SomethingIsChosen`, with formulas on indented lines below",
    "terminal": "terminal`, with formulas on indented lines below",
    "proof": "proof Agreement from LemmaA, LemmaB",
    "instance": "instance small`, with lines such as `Acceptor = 3` below",
    "require": "require promised < m.ballot",
    "let": "let x = e",
    "pick": "pick v in Value where free(v)",
    "send": "send Promise(m.ballot, voted) to m.from",
    "check": "check Agreement, Validity",
    "allow": "allow deadlock",
    "expect": "expect states 3921`, `expect violated Agreement after 12 steps` or `expect unreachable Done",
    "forall": "forall x in S: condition",
    "exists": "exists x in S: condition",
    "max": "max x in S by x.key",
    "min": "min x in S by x.key",
    "sent": "sent Promise(b, _) from a",
}


def explain(failure: Failure) -> Diagnostic:
    """The diagnostic for a failure: the most telling of the known mistakes, else what was expected where."""
    for known in (_layout, _wrong_equals, _unknown_beginning, _colon_after_head, _statement_wanted):
        diagnostic = known(failure)
        if diagnostic is not None:
            return diagnostic
    return _expectation(failure)


# --- known mistakes ---------------------------------------------------------------------------------


def _layout(failure: Failure) -> Diagnostic | None:
    head = failure.head
    if failure.found == "_INDENT":
        hint = (
            "a line goes on when it ends in an operator, a comma or an open bracket; otherwise align it with its block"
        )
        return Diagnostic("Q0102", f"unexpected indentation: `{head[0].text}` opens no block here", failure.span, hint)
    if "_INDENT" in failure.expected and failure.index in (0, len(failure.line)) and failure.found != "_NL":
        title = " ".join(lexeme.text for lexeme in head[:2] if lexeme.kind == "word")
        span = head[0].span.to(head[-1].span)
        return Diagnostic("Q0112", f"`{title}` has no block", span, "indent the lines that belong to it by four spaces")
    return None


def _wrong_equals(failure: Failure) -> Diagnostic | None:
    found, expected, span = failure.found, failure.expected, failure.span
    match found:
        case "=" if ":=" in expected:
            return Diagnostic("Q0104", "`=` defines, it does not assign", span, "write `:=` to assign")
        case "=" if "==" in expected:
            return Diagnostic("Q0104", "`=` defines, it does not compare", span, "write `==` to compare")
        case ":=" if "=" in expected:
            return Diagnostic("Q0104", f"`{failure.first}` gives a value with `=`", span, "write `=`; `:=` assigns")
        case "==" if "=" in expected:
            return Diagnostic("Q0104", f"`{failure.first}` gives a value with `=`", span, "write `=`; `==` compares")
        case ":=" if "==" in expected:
            hint = "write `==` to compare; an assignment is a statement of its own"
            return Diagnostic("Q0104", "`:=` assigns, and a formula assigns nothing", span, hint)
        case _:
            return None


def _unknown_beginning(failure: Failure) -> Diagnostic | None:
    """A line that begins with a word that is no keyword there, or one that belongs elsewhere."""
    start, first = failure.start, failure.first
    if start not in _KEYWORDS or not failure.line or failure.line[0].kind != "word" or failure.index > 1:
        return None
    known = _KEYWORDS[start].split()
    if failure.index == 1 and (first in known or not failure.is_word):
        return None
    span = failure.line[0].span
    place = _PLACES[start]
    if first in ("elif", "else"):
        return Diagnostic("Q0101", f"`{first}` without an `if` before it", span, "align it with its `if`")
    if first in known:
        return None
    elsewhere = [_PLACES[other] for other, words in _KEYWORDS.items() if first in words.split()]
    if elsewhere:
        hint = f"`{first}` begins {elsewhere[0]}; here begin {_listed(known)}"
        return Diagnostic("Q0106", f"`{first}` begins no {_bare(place)}", span, hint)
    hint = did_you_mean(first, known) or f"{place} begins with {_listed(known)}"
    return Diagnostic("Q0106", f"`{first}` begins no {_bare(place)}", span, hint)


def _colon_after_head(failure: Failure) -> Diagnostic | None:
    if failure.found == ":" and "_NL" in failure.expected and failure.first in (*_KEYWORDS["item"].split(), "on", "if"):
        hint = "delete it, and put what follows on indented lines of its own"
        return Diagnostic("Q0110", "the head of a block takes no colon", failure.span, hint)
    return None


def _statement_wanted(failure: Failure) -> Diagnostic | None:
    """A formula where a statement should be."""
    if failure.start != "statement" or not failure.line or failure.first in _KEYWORDS["statement"].split():
        return None
    whole = failure.line[0].span.to(failure.line[-1].span)
    if failure.index == 0 or ":=" in failure.expected:
        hint = "begin it with `require` to make it a condition, or assign with `:=`"
        return Diagnostic("Q0111", "a formula alone is no statement", whole, hint)
    return None


# --- what was expected ------------------------------------------------------------------------------

_OPERATORS = words("<=> => or and not == != < <= > >= in subset + - union minus * intersect . [ ( ..")


def _expectation(failure: Failure) -> Diagnostic:
    wanted = _wanted(failure)
    previous = failure.previous
    place = f" after `{previous.text}`" if previous is not None else ""
    hint = _shape(failure)
    if failure.found in ("_NL", "_DEDENT", "$END"):
        return Diagnostic("Q0101", f"the line ends too early: expected {wanted}{place}", failure.span, hint)
    return Diagnostic("Q0101", f"unexpected `{failure.found}`: expected {wanted}{place}", failure.span, hint)


def _wanted(failure: Failure) -> str:
    expected = failure.expected
    if "forall" in expected:
        return "a type or a set" if "Set" in expected else "an expression"
    if {"NAME", "NUMBER", "("} <= expected:
        previous = failure.previous
        return "a type" if previous is not None and previous.text in (":", "[", ",") else "a number"
    if "and" in expected or ":=" in expected or "*" in expected:
        closing = sorted(expected - _OPERATORS - {"NAME"})
        return f"an operator or {_listed(closing)}" if closing else "an operator"
    return _listed(sorted(expected))


def _listed(names: Sequence[str]) -> str:
    """`a`, `b` or `c`, with words for what has no text."""
    layout = {
        "NAME": "a name", "NUMBER": "a number", "_NL": "the end of the line", "_INDENT": "an indented block",
        "_DEDENT": "the end of the block", "$END": "the end of the block",
    }  # fmt: skip
    shown = list(dict.fromkeys(layout.get(name, f"`{name}`") for name in names))
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _bare(place: str) -> str:
    return place.removeprefix("a ")


def _shape(failure: Failure) -> str | None:
    for lexeme in reversed(failure.line[: failure.index]):
        if lexeme.text in _SHAPES:
            return f"`{lexeme.text}` is written like this: `{_SHAPES[lexeme.text]}`"
    return None

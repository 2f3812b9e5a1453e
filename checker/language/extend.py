"""What `spec X extends base` means: the files of a spec, and their declarations as those of one file.

The rest of the language knows nothing of it. A spec has all that its bases have, but for the instances; what it
declares itself is added, and where it says `replace`, stands in the place of what it replaces. Of two bases the second
is put on top of the first, as if it extended it; what both replace has to be replaced once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TypeAlias, cast

from checker.language import syntax as s
from checker.language.parser import parse, parse_head, read_source
from checker.source import Diagnostic, Source, Span, SpecError

Reader: TypeAlias = Callable[[str], Source]
"""From the name of a file to its text; raises SpecError when there is none."""


def sources(path: str | PathLike[str]) -> tuple[Source, ...]:
    """All texts that the spec in a file is made of: its own, then what it extends, the nearest first.

    Reads no more than the first declarations, so what caches results by the text of a spec can afford it. Raises
    SpecError as `read_source` does, and with Q0214 or Q0215 when there is no such base.
    """
    return chain(read_source(path), read_source)


def chain(source: Source, read: Reader) -> tuple[Source, ...]:
    """As `sources`, for a text already in memory. Files that are extended stand in the same directory."""
    return tuple(reversed(_in_order([source], read)))


def _in_order(before: list[Source], read: Reader) -> list[Source]:
    """The last of the sources after all that it extends, in the order in which they are put together.

    What two bases extend both comes once, and the second base after the first. `before` is how the last was come by.
    """
    head = parse_head(before[-1])
    found: list[Source] = []
    for word in head.extends.bases if head is not None and head.extends is not None else ():
        line = _in_order([*before, _base(word, before, read)], read)
        found += [source for source in line if source.name not in [known.name for known in found]]
    return [*found, before[-1]]


def _base(word: s.Word, before: list[Source], read: Reader) -> Source:
    name = str(Path(before[-1].name).with_name(f"{word.text}.spec"))
    if name in (str(Path(source.name)) for source in before):
        around = " extends ".join(f"`{Path(source.name).stem}`" for source in before)
        hint = f"{around} extends `{word.text}`: begin with a spec that extends none"
        raise SpecError([Diagnostic("Q0215", f"`{word.text}` is extended by what it extends", word.span, hint)])
    try:
        return read(name)
    except SpecError as error:
        hint = "what a spec extends is a file beside it, named without its ending `.spec`"
        found = [Diagnostic("Q0214", f"it cannot be extended: {d.message}", word.span, hint) for d in error.diagnostics]
        raise SpecError(found) from None


def compose(source: Source, read: Reader = read_source) -> tuple[s.File, tuple[Diagnostic, ...]]:
    """The source with all that it extends, as one parsed file, and the errors in all of them.

    Raises SpecError with Q0214 or Q0215 when a base is missing or extends what extends it, and with the errors in the
    texts when one of them leaves open what it extends.
    """
    texts = chain(source, read)
    parsed = [parse(text) for text in reversed(texts)]
    problems = [problem for _, found in parsed for problem in found]
    if any(file.head is None and "extends" in file.broken for file, _ in parsed):
        raise SpecError(problems)
    files = _as_taken_over([file for file, _ in parsed])
    whole = s.File(texts[-1], ())
    for file in files:
        whole = _extended(whole, file, problems)
    problems += _conflicts(files)
    return replace(whole, bases=texts[1:]), tuple(problems)


def _as_taken_over(files: Sequence[s.File]) -> list[s.File]:
    """The files, of which those before one that extends `without proof` have no lemmas and proofs.

    These are left out before anything is put together, for a file may replace a proof that was left out before it.
    """
    bare = max((i for i, file in enumerate(files) if not _with_proof(file)), default=0)
    taken = [replace(file, items=tuple(item for item in file.items if not _is_proof(item))) for file in files[:bare]]
    return [*taken, *files[bare:]]


def _with_proof(file: s.File) -> bool:
    return file.head is None or file.head.extends is None or file.head.extends.with_proof


def _is_proof(item: s.Item) -> bool:
    match item:
        case s.ProofItem() | s.PropertyItem(_, "lemma") | s.ReplaceItem(_, s.ProofItem() | s.PropertyItem(_, "lemma")):
            return True
        case _:
            return False


def _conflicts(files: Sequence[s.File]) -> Iterator[Diagnostic]:
    """What two files replace of which neither extends the other, and no later one says what it is in both together."""
    lines: dict[str, set[str]] = {}  # each file with all that it extends
    last: dict[Key, tuple[str, Span]] = {}  # what was replaced, and by whom last
    open_: dict[Key, tuple[tuple[str, Span], tuple[str, Span]]] = {}
    for file in files:
        name = Path(file.source.name).stem
        bases = file.head.extends.bases if file.head is not None and file.head.extends is not None else ()
        lines[name] = {name}.union(*(lines.get(word.text, ()) for word in bases))
        for wanted, span in _replaced(file).items():
            here = (name, span)
            if wanted in last and last[wanted][0] not in lines[name]:
                open_[wanted] = (last[wanted], here)
            else:
                open_.pop(wanted, None)
            last[wanted] = here
    for wanted, (one, other) in open_.items():
        head = files[-1].head
        assert head is not None and head.extends is not None
        message = f"`{one[0]}` and `{other[0]}` both replace `{_shown(wanted)}`"
        hint = "say what it is in both together: `replace` it here"
        notes = tuple((f"`{name}` replaces it here", span) for name, span in (one, other))
        yield Diagnostic("Q0217", message, head.extends.span, hint, notes)


def _replaced(file: s.File) -> dict[Key, Span]:
    """What a file says `replace` of, members with their roles."""
    found: dict[Key, Span] = {}
    for item in file.items:
        if isinstance(item, s.ReplaceItem):
            found[key(item)] = item.span
        elif isinstance(item, s.RoleItem):
            inner = (member for member in item.members if isinstance(member, s.ReplaceItem))
            found |= {(*key(member), "of", item.name.text): member.span for member in inner}
    return found


def _extended(base: s.File, file: s.File, problems: list[Diagnostic]) -> s.File:
    extends = file.head.extends if file.head is not None else None
    kept = tuple(item for item in base.items if not isinstance(item, s.SpecHead | s.InstanceItem))
    items = _merged(kept, file.items, extends, problems)
    return s.File(file.source, cast(tuple[s.Item, ...], items), base.broken | file.broken)


Declaration: TypeAlias = s.Item | s.Member
Key: TypeAlias = tuple[str, ...]


def _merged(
    base: tuple[Declaration, ...], new: tuple[Declaration, ...], extends: s.Extends | None, problems: list[Diagnostic]
) -> tuple[Declaration, ...]:
    """The declarations of a base and the new ones: added, joined to its roles, or in the place of others."""
    merging = _Merging(list(base), extends, problems)
    for item in new:
        merging.add(item)
    return tuple(merging.items)


@dataclass
class _Merging:
    """The declarations of a base, or the members of one of its roles, among which others take their places."""

    items: list[Declaration]
    extends: s.Extends | None
    problems: list[Diagnostic]
    taken: dict[Key, Span] = field(default_factory=dict)  # what has been replaced, and roles that were gone on with

    def add(self, item: Declaration) -> None:
        match item:
            case s.ReplaceItem(_, new):
                self._replace(new, item.span)
            case s.RoleItem():
                self._role(item)
            case _:
                self.items.append(item)

    def _role(self, role: s.RoleItem) -> None:
        """Its members join those that the role has in the base."""
        place = self._place(key(role)) if self.extends is not None and key(role) not in self.taken else None
        known = self.items[place] if place is not None else None
        base = known if isinstance(known, s.RoleItem) else replace(role, members=())
        members = _merged(base.members, role.members, self.extends, self.problems)
        whole = replace(base, members=cast(tuple[s.Member, ...], members))
        if place is None:
            self.items.append(whole)
        else:
            self.items[place] = whole
            self.taken[key(role)] = role.span

    def _place(self, wanted: Key) -> int | None:
        return next((i for i, item in enumerate(self.items) if key(item) == wanted), None)

    def _replace(self, new: Declaration, span: Span) -> None:
        wanted = key(new)
        shown = _shown(wanted)
        place = self._place(wanted)
        if self.extends is None:
            message = f"`{shown}` replaces nothing: this spec extends no other"
            self._say("Q0216", message, span, "leave out `replace`, or begin with `spec Name extends base`")
        elif place is None:
            bases = " or ".join(f"`{word.text}`" for word in self.extends.bases)
            message = f"`{shown}` replaces nothing: there is no such {wanted[0]} in {bases}"
            self._say("Q0216", message, span, "leave out `replace`, or correct the name")
        elif wanted in self.taken:
            note = ("the first time is here", self.taken[wanted])
            self._say("Q0202", f"`{shown}` is replaced twice", span, "leave one of them", note)
        else:
            self.taken[wanted] = span
            self.items[place] = new
            if isinstance(new, s.AfterItem):  # there may be several; the new one stands for all
                self.items = [item for item in self.items if item is new or key(item) != wanted]

    def _say(self, code: str, message: str, span: Span, hint: str, *notes: tuple[str, Span]) -> None:
        line = Span(span.source, span.line, span.column, span.line, len(span.source.line(span.line)) + 1)
        self.problems.append(Diagnostic(code, message, line if span.end_line > span.line else span, hint, notes))


def _shown(wanted: Key) -> str:
    return " ".join(wanted[1:]) or wanted[0]


def key(item: Declaration) -> Key:
    """What a declaration and its replacement have in common: the kind and the name."""
    match item:
        case s.ActionItem(_, "procedure", name):
            return "procedure", name.text
        case s.ActionItem(_, _, name):
            return "action", name.text
        case s.HandlerItem(_, message):
            return "handler", "on", message.text
        case s.FaultItem(_, kind):
            return "fault", kind.text
        case s.AfterItem(_, target):
            return "after", *(word.text for word in target)
        case s.ProofItem(_, name, step):
            return "proof", name.text, *(word.text for word in step)
        case s.PropertyItem(_, kind, name):
            return (kind,) if name is None else ("property", name.text)
        case s.NetworkItem():
            return ("network",)
        case s.ReplaceItem(_, new):
            return key(new)
        case s.VariableItem() | s.ConstantItem():
            return "state", item.name.text
        case _:
            return type(item).__name__.removesuffix("Item").lower(), item.name.text

"""`spec X extends base`: what is taken over, what is replaced, and what is wrong where."""

from __future__ import annotations

from pathlib import Path

import pytest

from checker.explore.check import check
from checker.language import ir
from checker.language.extend import sources
from checker.language.frontend import Loaded, load, load_source, reload
from checker.source import Diagnostic, Source, SpecError

BASE = """spec Counter

sort Node
message Up from Node to Node
network reordering

constant top: Int

role Node
    durable count: 0..top = 0
    volatile seen: Bool = false

    define full = count == top

    action up
        require not full
        count := count + 1
        send Up to each n in Node where n != self

    on Up(m)
        seen := true

ghost ups: 0..3 = 0

after Node.up(n)
    ups := min(ups + 1, 3)

lemma Counted
    forall n in Node: n.count <= ups

invariant Bounded
    forall n in Node: n.count <= top

reachable Full
    exists n in Node: n.full

proof Bounded from Counted

instance small
    Node = 1
    top = 2
    allow deadlock
"""

INSTANCE = "instance small\n    Node = 1\n    top = 2\n    allow deadlock\n"


def loaded(text: str, **bases: str) -> Loaded:
    """The spec `main.spec` of the text, and `base.spec` beside it; other files by their names."""
    texts = {"base": BASE, **bases}

    def read(name: str) -> Source:
        if Path(name).stem not in texts:
            raise SpecError([Diagnostic("Q0701", f"there is no file `{name}`")])
        return Source(name, texts[Path(name).stem])

    return load_source(Source("specs/main.spec", text), read=read)


def problems(text: str, **bases: str) -> list[str]:
    try:
        loaded(text, **bases)
    except SpecError as error:
        return [f"{d.span.place if d.span else ''} {d.code} {d.message}" for d in error.diagnostics]
    return []


def names(spec: ir.Spec) -> list[str]:
    return [a.qualified for a in spec.actions]


def states(spec: ir.Spec) -> int:
    return check(spec, spec.instances[0]).census.states


def test_all_but_the_instances_is_taken_over() -> None:
    spec = loaded("spec Main extends base\n").spec
    assert spec.name == "Main"
    assert names(spec) == ["Node.up", "Node.on Up", "Node.crash"]
    assert [p.name for p in spec.properties] == ["Counted", "Bounded", "Full"]
    assert [p.name for p in spec.proofs] == ["Bounded"]
    assert spec.instances == ()


def test_without_proof_there_are_no_lemmas_and_proofs() -> None:
    spec = loaded("spec Main extends base without proof\n").spec
    assert [p.name for p in spec.properties] == ["Bounded", "Full"]
    assert spec.proofs == ()
    assert "ups" in [v.name for v in spec.variables]


def test_it_behaves_as_one_spec_would() -> None:
    whole = BASE.replace("count + 1", "top")
    spec = loaded(
        f"""spec Main extends base

role Node
    replace action up
        require not full
        count := top
        send Up to each n in Node where n != self

{INSTANCE}"""
    ).spec
    assert states(spec) == states(load_source(Source("whole.spec", whole)).spec) == 2
    assert names(spec) == ["Node.up", "Node.on Up", "Node.crash"]


def test_members_join_the_role_and_may_be_replaced_each() -> None:
    spec = loaded(
        """spec Main extends base

role Node
    durable more: Bool = false
    replace volatile seen: 0..1 = 0
    replace define full = count == top or more

    replace on Up(m)
        seen := 1
        more := true

    action down
        require more and count > 0
        count := count - 1
"""
    ).spec
    assert names(spec) == ["Node.up", "Node.on Up", "Node.down", "Node.crash"]
    assert [v.name for v in spec.variables if v.role] == ["Node.count", "Node.seen", "Node.more"]


def test_an_after_is_added_unless_it_replaces() -> None:
    def updates(text: str) -> int:
        spec = loaded(f"spec Main extends base\nghost more: Bool = false\n{text}").spec
        (up,) = (a for a in spec.actions if a.qualified == "Node.up")
        return len([s for s in up.body if isinstance(s, ir.Assign) and s.variable in ("ups", "more")])

    assert updates("after Node.up(n)\n    more := true\n") == 2
    assert updates("replace after Node.up(n)\n    more := true\n") == 1


def test_properties_types_and_the_network_may_be_replaced() -> None:
    spec = loaded(
        """spec Main extends base

replace message Up(twice: Bool) from Node to Node
replace network fifo

role Node
    replace action up
        send Up(true) to each n in Node where n != self

replace invariant Bounded
    true
"""
    ).spec
    assert spec.network is not None and spec.network.kind == "fifo"
    assert spec.messages[0].fields[0][0] == "twice"
    assert [p.span.source.name for p in spec.properties] == ["specs/base.spec", "specs/main.spec", "specs/base.spec"]


def test_a_base_may_extend_another() -> None:
    middle = "spec Middle extends base without proof\nrole Node\n    define empty = count == 0\n"
    spec = loaded("spec Main extends middle\nreachable Empty\n    exists n in Node: n.empty\n", middle=middle).spec
    assert [p.name for p in spec.properties] == ["Bounded", "Full", "Empty"]
    assert [s.name for s in (spec.source, *spec.bases)] == ["specs/main.spec", "specs/middle.spec", "specs/base.spec"]


TALKATIVE = """spec Talkative extends base

role Node
    volatile said: Bool = false

    replace on Up(m)
        said := true

reachable Said
    exists n in Node: n.said
"""

RESET = """spec Reset extends base

role Node
    action reset
        require full
        count := 0

replace reachable Full
    exists n in Node: n.full and n.count != 0
"""


def test_two_bases_are_put_together() -> None:
    spec = loaded("spec Main extends talkative, reset\n\n" + INSTANCE, talkative=TALKATIVE, reset=RESET).spec
    assert [a.qualified for a in spec.actions if a.kind in ("action", "on")] == ["Node.up", "Node.on Up", "Node.reset"]
    assert [p.name for p in spec.properties] == ["Counted", "Bounded", "Full", "Said"]
    assert [Path(source.name).stem for source in spec.bases] == ["reset", "talkative", "base"]
    assert [p.name for p in check(spec, spec.instances[0]).violations] == ["Said"]  # one node has nobody to send to


def test_what_two_bases_replace_has_to_be_said_again() -> None:
    quiet = "spec Quiet extends base\nrole Node\n    replace on Up(m)\n        skip\n"
    bases = {"talkative": TALKATIVE, "quiet": quiet}
    (found,) = problems("spec Main extends talkative, quiet\n", **bases)
    assert found == "specs/main.spec:1:11 Q0217 `talkative` and `quiet` both replace `on Up of Node`"
    decided = "spec Main extends talkative, quiet\nrole Node\n    replace on Up(m)\n        skip\n"
    assert problems(decided, **bases) == []
    assert problems("spec Main extends both\n", both=decided.replace("Main", "Both"), **bases) == []


def test_a_proof_may_be_replaced_that_the_other_base_leaves_out() -> None:
    bare = "spec Bare extends base without proof\n"
    proved = "spec Proved extends base\nreplace lemma Counted\n    true\nreplace proof Bounded from Counted\n"
    for bases in ("bare, proved", "proved, bare"):
        spec = loaded(f"spec Main extends {bases} without proof\n", bare=bare, proved=proved).spec
        assert [p.name for p in spec.properties] == ["Bounded", "Full"]
        assert spec.proofs == ()


def test_the_network_is_taken_otherwise_without_another_look_at_the_files() -> None:
    spec = loaded(f"spec Main extends base\n{INSTANCE}").spec
    again = reload(spec, "set")
    assert again.network is not None and again.network.kind == "set"
    assert again.bases == spec.bases


def test_warnings_are_of_the_file_itself() -> None:
    unused = BASE.replace("    define full", "    define idle = true\n    define full")
    found = loaded(f"spec Main extends base\ndefine lazy = true\n{INSTANCE}", base=unused).warnings
    assert [w.message for w in found] == ["the definition `lazy` is not used"]


def test_sources_are_all_files_of_a_spec(tmp_path: Path) -> None:
    (tmp_path / "base.spec").write_text(BASE)
    (tmp_path / "middle.spec").write_text("spec Middle extends base\n")
    (tmp_path / "main.spec").write_text("# no more than\nspec Main extends middle\n\nthe first = declaration is read\n")
    found = sources(tmp_path / "main.spec")
    assert [Path(source.name).name for source in found] == ["main.spec", "middle.spec", "base.spec"]
    assert found[2].text == BASE
    assert load(tmp_path / "middle.spec").spec.name == "Middle"


HEAD = "specs/main.spec:1:19"


@pytest.mark.parametrize(
    ("text", "bases", "expected"),
    [
        ("spec Main extends other\n", {}, [f"{HEAD} Q0214 it cannot be extended: there is no file `specs/other.spec`"]),
        ("spec Main extends main\n", {}, [f"{HEAD} Q0215 `main` is extended by what it extends"]),
        (
            "spec Main extends base\n",
            {"base": "spec Base extends main\n"},
            ["specs/base.spec:1:19 Q0215 `main` is extended by what it extends"],
        ),
        (
            "spec Main extends\nreplace sort Node\n",
            {},
            ["specs/main.spec:1:18 Q0101 the line ends too early: expected a name after `extends`"],
        ),
        (
            "spec Main extends base\nreplace sort Mode\nreplace define full = 1\nreplace invariant Bound\n    true\n",
            {},
            [
                "specs/main.spec:2:1 Q0216 `Mode` replaces nothing: there is no such sort in `base`",
                "specs/main.spec:3:1 Q0216 `full` replaces nothing: there is no such define in `base`",
                "specs/main.spec:4:1 Q0216 `Bound` replaces nothing: there is no such property in `base`",
            ],
        ),
        (
            "spec Main extends base\nrole Node\n    on Up(m)\n        skip\n",
            {},
            ["specs/main.spec:3:8 Q0202 `Node.on Up` is declared twice"],
        ),
        (
            "spec Main extends base\ninvariant Bounded\n    true\n",
            {},
            ["specs/main.spec:2:11 Q0202 `Bounded` is declared twice"],
        ),
        (
            "spec Main extends base\nreplace reachable Full\n    true\nreplace reachable Full\n    false\n",
            {},
            ["specs/main.spec:4:1 Q0202 `Full` is replaced twice"],
        ),
        (
            "spec Main extends base\nrole Node\n    define a = true\nrole Node\n    define b = true\n",
            {},
            ["specs/main.spec:4:6 Q0202 `Node` is declared twice"],
        ),
        (
            "spec Main extends base\nreplace action\n    skip\nreplace\nreplace replace sort Node\n",
            {},
            [
                "specs/main.spec:2:15 Q0101 the line ends too early: expected a name after `action`",
                "specs/main.spec:4:8 Q0101 the line ends too early: expected ",
                "specs/main.spec:5:9 Q0101 unexpected `replace`: expected ",
            ],
        ),
    ],
)
def test_errors_are_at_their_places(text: str, bases: dict[str, str], expected: list[str]) -> None:
    found = problems(text, **bases)
    assert [f[: len(e)] for f, e in zip(found, expected, strict=True)] == expected


def test_what_breaks_in_the_base_is_shown_there_and_says_by_whom() -> None:
    with pytest.raises(SpecError) as raised:
        loaded("spec Main extends base\nrole Node\n    replace durable count: Bool = false\n")
    found = raised.value.diagnostics
    assert {d.span.source.name for d in found if d.span} == {"specs/base.spec"}
    assert all(d.notes[-1][0] == "the file is extended here" for d in found)
    assert all(d.notes[-1][1].source.name == "specs/main.spec" for d in found)


def test_a_base_with_errors_of_its_own_is_no_base() -> None:
    broken = BASE.replace("count := count + 1", "count = count + 1")
    (found,) = problems("spec Main extends base\n", base=broken)
    assert found.startswith("specs/base.spec:17:15 Q0104")
    assert problems("spec Main extends base\n", base="sort Node\n") != []


def test_a_broken_part_of_a_replacement_hides_no_other_error() -> None:
    text = """spec Main extends base

role Node
    replace action up
        count = 3
        counter := 1
"""
    assert [p.split()[1] for p in problems(text)] == ["Q0104"] or len(problems(text)) == 2

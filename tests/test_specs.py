"""Every spec under `specs/`, beside what `quorate ci` finds of it: that all its instances are as they expect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from catalogue import ROOT, instance, loaded, names
from catalogue import SPECS as FILES
from handwritten import (
    Model,
    count,
    election,
    lock_epochs,
    paxos,
    peterson,
    ring_election,
    sharded_store,
    two_phase_commit,
)

from checker.explore.check import check
from checker.explore.engines import engine
from checker.explore.problem import Options
from checker.language import ir
from checker.language.frontend import load_source
from checker.source import Source, SpecError
from checker.verdict import Assurance, Verdict

SPECS = ROOT / "specs"
INSTANCES = [(path, name) for path in FILES for name in names(path.read_text(encoding="ascii"))]


def _name(path: Path) -> str:
    return path.relative_to(SPECS).with_suffix("").as_posix()


def _explore(path: Path, name: str) -> Verdict:
    spec = loaded(path).spec
    return check(spec, instance(spec, name), Options(engine=engine("auto")))


@pytest.mark.parametrize(("path", "name"), INSTANCES, ids=[f"{_name(p)}-{n}" for p, n in INSTANCES])
def test_instance_that_holds_has_its_exact_count(path: Path, name: str) -> None:
    kinds = {type(expected) for expected in instance(loaded(path).spec, name).expected}
    assert kinds & {ir.ExpectStates, ir.ExpectViolated}


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_spec_says_what_must_be_possible_and_has_no_warnings(path: Path) -> None:
    found = loaded(path)
    assert any(p.kind == "reachable" for p in found.spec.properties)
    assert [w.render() for w in found.warnings] == []
    assert [decl.name for decl in found.spec.instances] == names(found.spec.source.text), "some would not be tested"


TAKEN_LATER = {"primary_backup": ("apart", {"partition", "heal"})}
"""Steps that the first instance of a spec leaves to another: its properties hold without partitions only."""


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.spec")), ids=_name)
def test_every_action_of_a_spec_happens_and_every_implication_is_tested(path: Path) -> None:
    verdict = _explore(path, loaded(path).spec.instances[0].name)
    assert verdict.assurance is Assurance.EXHAUSTIVE
    assert _never_taken(verdict) == TAKEN_LATER.get(_name(path), ("", set()))[1]
    assert [c.text for c in verdict.census.vacuous] == []


@pytest.mark.parametrize("name", TAKEN_LATER)
def test_what_the_first_instance_leaves_out_happens_in_another(name: str) -> None:
    instance, _ = TAKEN_LATER[name]
    verdict = _explore(SPECS / f"{name}.spec", instance)
    assert verdict.assurance is Assurance.EXHAUSTIVE
    assert _never_taken(verdict) == set()


def _never_taken(verdict: Verdict) -> set[str]:
    return {action.name for action in verdict.census.actions if action.taken == 0}


@pytest.mark.parametrize("path", sorted((SPECS / "naive").glob("*.spec")), ids=_name)
def test_naive_spec_is_broken_in_every_instance(path: Path) -> None:
    for decl in loaded(path).spec.instances:
        assert any(isinstance(expected, ir.ExpectViolated) and expected.steps for expected in decl.expected)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_lines_are_short_and_plain(path: Path) -> None:
    text = path.read_text(encoding="ascii")
    assert [line for line in text.splitlines() if len(line) > 100 or line != line.rstrip()] == []


def test_families_of_quorums_that_do_not_meet_are_refused() -> None:
    text = (SPECS / "flexible_paxos.spec").read_text(encoding="ascii")
    spec = load_source(Source("flexible_paxos.spec", text.replace("Promisers = 3 of", "Promisers = 2 of"))).spec
    with pytest.raises(SpecError) as error:
        check(spec, spec.instances[0], Options(engine=engine("auto")))
    assert [d.code for d in error.value.diagnostics] == ["Q0510"]


BY_HAND: list[tuple[str, str, Model]] = [
    ("paxos", "small", paxos(acceptors=3, ballots=2, values=2)),
    ("two_phase_commit", "three", two_phase_commit(managers=3)),
    ("two_phase_commit", "five", two_phase_commit(managers=5)),
    ("two_phase_commit", "seven", two_phase_commit(managers=7)),
    ("peterson", "three_without_seats", peterson(processes=3)),
    ("peterson", "four_without_seats", peterson(processes=4)),
    ("lock_epochs", "two_nodes", lock_epochs(nodes=2, epochs=4)),
    ("lock_epochs", "three_nodes", lock_epochs(nodes=3, epochs=5, first=0)),
    ("ring_election", "three", ring_election(nodes=3)),
    ("ring_election", "four", ring_election(nodes=4)),
    ("flexible_paxos", "half_of_four", paxos(acceptors=4, ballots=2, values=2)),
    ("flexible_paxos", "one_of_three", paxos(acceptors=3, ballots=2, values=2, promisers=[(0, 1, 2)])),
    ("flexible_paxos", "grid", paxos(acceptors=4, ballots=2, values=2, promisers=[(0, 1), (2, 3)])),
    ("election", "three", election(servers=3, terms=3, crashes=1)),
    ("sharded_store", "two_nodes", sharded_store(nodes=2, keys=1, values=2, numbers=2, messages=3)),
    ("sharded_store", "two_keys", sharded_store(nodes=2, keys=2, values=2, numbers=2, messages=2)),
    ("sharded_store", "three_nodes", sharded_store(nodes=3, keys=1, values=2, numbers=2, messages=2)),
]


@pytest.mark.parametrize(("spec", "name", "model"), BY_HAND, ids=[f"{s}-{n}" for s, n, _ in BY_HAND])
def test_count_is_confirmed_by_hand(spec: str, name: str, model: Model) -> None:
    decl = instance(loaded(SPECS / f"{spec}.spec").spec, name)
    assert [e.count for e in decl.expected if isinstance(e, ir.ExpectStates)] == [count(model)]


@pytest.mark.parametrize(("acceptors", "ballots"), [(4, 2), (3, 3)])
def test_bigger_paxos_is_counted_by_hand_too(acceptors: int, ballots: int) -> None:
    spec = loaded(SPECS / "paxos.spec").spec
    sizes = (("Acceptor", acceptors), ("Ballot", ballots), ("Value", 2))
    decl = replace(spec.instances[0], sizes=sizes, expected=())
    verdict = check(spec, decl, Options(engine=engine("auto"), symmetry=False))
    assert verdict.assurance is Assurance.EXHAUSTIVE
    assert verdict.census.states == count(paxos(acceptors, ballots, values=2))
    assert f"{verdict.census.states}" in (SPECS / "paxos.spec").read_text(encoding="ascii")

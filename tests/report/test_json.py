"""Verdicts as JSON: equal after the round trip, valid by the published schema, and junk is refused with a sentence."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_examples import disagreement, holding, violated, violated_as_expected

from checker.report.json import NotAVerdict, document, read_document, trace_to_json, verdict_to_json
from checker.report.results import Report, of_verdict
from checker.source import Diagnostic, Source, Span
from checker.verdict import (
    Assurance,
    BagValue,
    Census,
    Clause,
    Expectation,
    InductionFailure,
    MapValue,
    ObligationResult,
    Place,
    ProofGraph,
    PropertyResult,
    RecordValue,
    SeqValue,
    SetValue,
    Status,
    Step,
    Trace,
    Value,
    Variable,
    Verdict,
    value_from_json,
    value_to_json,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "verdict.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | names


def _composite(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    fields = st.lists(st.tuples(names, inner), max_size=3, unique_by=lambda pair: pair[0]).map(tuple)
    return st.one_of(
        st.builds(RecordValue, names, fields),
        st.builds(SetValue, st.lists(inner, max_size=3).map(tuple)),
        st.builds(BagValue, st.lists(st.tuples(inner, st.integers(1, 9)), max_size=3).map(tuple)),
        st.builds(SeqValue, st.lists(inner, max_size=3).map(tuple), st.integers(0, 1)),
        st.builds(MapValue, st.lists(st.tuples(inner, inner), max_size=3).map(tuple)),
    )


values: st.SearchStrategy[Value] = st.recursive(scalars, _composite, max_leaves=8)


def through_text(data: Any) -> Any:
    return json.loads(json.dumps(data))


@given(values)
def test_values_survive_the_round_trip(value: Value) -> None:
    back = value_from_json(through_text(value_to_json(value)))
    assert back == value and repr(back) == repr(value)  # repr tells True from 1


@pytest.mark.parametrize("verdict", [violated(), violated_as_expected(), holding()])
def test_documents_survive_the_round_trip_and_fit_the_schema(verdict: Verdict) -> None:
    data = through_text(document(Report((of_verdict(verdict),), exit_code=1)))
    VALIDATOR.validate(data)
    assert read_document(data) == (verdict,)
    assert read_document(data["verdicts"][0]) == (verdict,)


def everything() -> Verdict:
    """A verdict in which no field has its default."""
    place = Place("a.spec", 3, 4, "x")
    clause = Clause("p(x)", (("x", 1),), place, (Clause("q", (("y", None),), place, (Clause("r"),)),))
    message = RecordValue("M", (("f", 1), ("from", "n0")))
    step = Step("on M", "on", (("x", True),), "n0", message, (message,), place)
    trace = Trace((Variable("v", "R", True, True, True),), ((1,), (2,)), (step,), (("N", 3),))
    result = PropertyResult("P", "step", Status.VIOLATED, place, trace, (clause,), "because", "Q0601")
    census = Census(2, 1, 1, 1, holding().census.actions, (("crashes", 2),), (clause,), ("Value",))
    expectation = Expectation("violated P", False, "nothing", place, "P")
    failure = InductionFailure(trace, (("n", "2"),), ("v",), clause, True, trace, ("x > 0",))
    obligation = ObligationResult(
        "P on M",
        "preserve",
        "P",
        "on M",
        Status.UNKNOWN,
        "marks",
        ("Q",),
        0.25,
        place,
        place,
        "why",
        ("plain",),
        failure,
    )
    return Verdict(
        "S", "i", "native", Assurance.INCONCLUSIVE, (result,), (("n", "3"),), census, (expectation,), "time", 9, 0.5,
        77,         (obligation,), ProofGraph((("P", ("Q",)),), ("R",)), ("a note",), "time",
    )  # fmt: skip


def test_no_field_is_forgotten() -> None:
    verdict = everything()
    for part in (
        verdict,
        verdict.census,
        verdict.properties[0],
        verdict.obligations[0],
        verdict.obligations[0].failure,
    ):
        assert part is not None
        for field in dataclasses.fields(part):
            assert getattr(part, field.name) != field.default, f"give {field.name} a value here"
    data = through_text(document(Report((of_verdict(verdict),))))
    VALIDATOR.validate(data)
    assert read_document(data) == (verdict,)


def test_a_trace_alone_is_read() -> None:
    data = through_text(trace_to_json(disagreement()))
    assert data["states"][0]["Acceptor.voted"] == {"map": [["a0", None], ["a1", None], ["a2", None]]}
    assert read_document(data) == disagreement()


def test_diagnostics_carry_their_places() -> None:
    span = Span(Source("a.spec", "x = 1\n"), 1, 3, 1, 4)
    data = through_text(document(Report((), (Diagnostic("Q0101", "no", span, "yes"), Diagnostic("Q0711", "what")))))
    VALIDATOR.validate(data)
    first, second = data["diagnostics"]
    assert first["place"] == {"file": "a.spec", "line": 1, "column": 3, "end_line": 1, "end_column": 4}
    assert second["place"] is None


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "neither"),
        ({"format": "itf"}, "its format is 'itf'"),
        ({"format": "quorate.verdicts", "version": 99, "verdicts": []}, "version 99"),
        ({"assurance": "sure", "properties": []}, "'spec' is missing"),
        ({**verdict_to_json(holding()), "assurance": "sure"}, "'sure' is none of violated"),
        ({**verdict_to_json(holding()), "properties": 3}, "3 is not a list"),
        ({**trace_to_json(disagreement()), "steps": []}, "has 1 states, not 13"),
    ],
)
def test_junk_is_refused_with_a_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(NotAVerdict, match=sentence):
        read_document(data)


@given(st.data())
def test_damaged_documents_are_refused_or_read_but_never_crash(data: st.DataObject) -> None:
    damaged = through_text(document(Report((of_verdict(violated()),))))
    junk = data.draw(st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner)))
    where: Any = damaged
    for _ in range(data.draw(st.integers(1, 6))):
        keys = list(where) if isinstance(where, dict) else list(range(len(where))) if isinstance(where, list) else []
        if not keys:
            return
        parent, key = where, data.draw(st.sampled_from(keys))
        where = where[key]
    parent[key] = junk
    try:
        read_document(damaged)
    except NotAVerdict as error:
        assert str(error)

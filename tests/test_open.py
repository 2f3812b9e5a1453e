"""What is under way in `bench/open` can be loaded, and goes on from the finished specs."""

from __future__ import annotations

from pathlib import Path

from checker.language.frontend import load

ROOT = Path(__file__).parent.parent


def test_the_open_proof_of_zab_is_of_the_protocol_and_properties_of_the_spec() -> None:
    loaded = load(ROOT / "bench" / "open" / "zab_proof.spec")
    assert loaded.warnings == ()
    finished, _, _ = (ROOT / "specs" / "zab.spec").read_text(encoding="ascii").partition("# --- history")
    assert finished in (ROOT / "bench" / "open" / "zab_proof.spec").read_text(encoding="ascii")

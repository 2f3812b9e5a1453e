"""The command as users meet it: exit codes, streams, sentences for every mistake, and how long it takes to start."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from checker.cli import run
from checker.explore.native.build import find_compiler

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs" / "verdict.schema.json").read_text())

TOGGLE = """\
spec Toggle

state on: Bool = false

action press
    on := not on

invariant NeverOn
    not on

invariant OnIsBool
    on or not on

reachable Lit
    on

instance good
    check OnIsBool, Lit
    expect states 2

instance plain
    check OnIsBool, Lit

instance bad

instance asked
    expect violated NeverOn after 1 steps

instance wrong
    check OnIsBool
    expect states 3
"""


@pytest.fixture
def toggle(tmp_path: Path) -> str:
    path = tmp_path / "toggle.spec"
    path.write_text(TOGGLE)
    return str(path)


Ran = tuple[int, str, str]
Run = Callable[..., Ran]


@pytest.fixture
def quorate(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command line in this process: exit code, stdout, stderr."""

    def call(*arguments: str) -> Ran:
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "checker", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


# --- exit codes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("-i", "good"), 0),
        (("-i", "bad"), 1),
        (("-i", "asked"), 0),
        (("-i", "wrong"), 1),
        (("-i", "good", "-i", "bad"), 1),
        (("-i", "good", "--depth", "0"), 4),
        (("-i", "missing"), 2),
        (("--set", "Nothing=3"), 2),
    ],
)
def test_exit_codes_of_check(quorate: Run, toggle: str, arguments: tuple[str, ...], code: int) -> None:
    assert quorate("check", toggle, *arguments)[0] == code


def test_a_bound_that_was_asked_for_is_no_reason_for_doubt(quorate: Run, toggle: str) -> None:
    code, out, _ = quorate("check", toggle, "-i", "plain", "--depth", "1")
    assert (code, "holds" in out) == (0, False)
    assert "no violation to depth 1: " in out
    assert quorate("check", toggle, "-i", "plain", "--depth", "0")[0] == 4, "Lit is not decided"
    assert quorate("check", toggle, "-i", "good", "--depth", "1")[0] == 4, "the states are not counted"


def test_nothing_to_check(quorate: Run, tmp_path: Path) -> None:
    path = tmp_path / "nothing.spec"
    path.write_text("spec Nothing\nstate x: Bool = false\naction flip\n    x := not x\ninstance one\n")
    assert quorate("check", str(path), "--no-deadlock")[0] == 5


def test_an_unexpected_exception_is_saved_and_not_shown(
    quorate: Run, toggle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import checker.language.frontend as frontend

    def fail(*_: object) -> None:
        raise ZeroDivisionError("lost count")

    monkeypatch.setattr(frontend, "load", fail)
    code, out, err = quorate("check", toggle)
    assert (code, out) == (3, "")
    assert err.startswith(
        "error[Q0720]: an error inside Quorate (ZeroDivisionError: lost count)\nhelp: please report it"
    )
    assert "Traceback" not in err
    saved = Path(err.rsplit(" ", 1)[1].strip())
    try:
        text = saved.read_text()
        assert "lost count" in text and "Traceback" in text and "spec Toggle" in text and repr(toggle) in text
    finally:
        saved.unlink()
    with pytest.raises(ZeroDivisionError):
        run(["--debug", "check", toggle])


def test_exit_codes_are_explained(quorate: Run) -> None:
    from checker.cli.outcome import Exit

    code, out, _ = quorate("explain", "exit-codes")
    assert code == 0
    assert {int(n) for n in re.findall(r"^\| (\d+) \|", out, re.MULTILINE)} == {int(e) for e in Exit}


# --- mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "help_"),
    [
        (("chekc",), "error[Q0711]: there is no command `chekc`", "did you mean `check`?"),
        (("specs/paxos.spec",), "error[Q0711]", "did you mean `quorate check specs/paxos.spec`?"),
        (("check",), "error[Q0713]: `FILE...` is missing", "`quorate check --help` lists what it takes"),
        (("check", "--treads", "2", "x.spec"), "error[Q0712]: no option `--treads`", "did you mean `--threads`?"),
        (("check", "--depth", "x", "x.spec"), "error[Q0714]: `--depth`: `x` is not a valid integer", "--help"),
        (("check", "--depth", "-1", "x.spec"), "error[Q0714]: `--depth`", "--help"),
        (("check", "--depth"), "error[Q0713]: option `--depth` requires an argument", "--help"),
        (("check", "--memory", "lots", "x.spec"), "error[Q0714]: `--memory`: `lots` is not a size", "--help"),
        (("check", "--timeout", "0", "x.spec"), "error[Q0714]: `--timeout`: `0` is not a time", "--help"),
        (("check", "--threads", "0", "x.spec"), "error[Q0714]: `--threads`", "--help"),
        (("check", "--engine", "warp", "x.spec"), "error[Q0714]: `--engine`", "--help"),
        (("check", "--set", "Acceptor", "x.spec"), "error[Q0714]: `--set`: `Acceptor` is not NAME=VALUE", "--help"),
        (("check", "--json=x.spec", "x.spec"), "error[Q0714]: `--json`: `x.spec` is a spec", "--help"),
        (("check", "--json=no/such/x.json", "x.spec"), "error[Q0715]: `no/such/x.json` cannot be written", "directory"),
        (("check", "missing.spec"), "error[Q0701]: there is no file `missing.spec`", ""),
        (("check", "specs"), "error[Q0702]", ""),
        (("check", "specs/paxos.spec", "-i", "smal"), "error[Q0501]", "did you mean `small`?"),
        (("check", "specs/paxos.spec", "--set", "Aceptor=3"), "error[Q0502]", "did you mean `Acceptor`?"),
        (("check", "specs/paxos.spec", "--witness", "Chosen"), "error[Q0716]", "there are `SomethingIsChosen`,"),
        (("show", "specs/paxos.spec"), "error[Q0717]: `specs/paxos.spec` is not JSON", "--json=FILE"),
        (("show", "missing.json"), "error[Q0701]: there is no file `missing.json`", ""),
        (("show", "a", "b"), "error[Q0713]: got unexpected extra argument (b)", "--help"),
        (("explain", "Q9999"), "error[Q0718]: there is no page `Q9999`", "explain list"),
        (("explain", "exit-code"), "error[Q0718]", "did you mean `exit-codes`?"),
        (("--nonsense",), "error[Q0712]: no option `--nonsense` of `quorate`", ""),
    ],
)  # fmt: skip
def test_mistakes(
    quorate: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str, help_: str
) -> None:
    monkeypatch.chdir(ROOT)
    code, out, err = quorate(*arguments)
    assert (code, out) == (2, "")
    assert message in err and help_ in err
    assert err.count("error[") == 1 and "Traceback" not in err


def test_without_a_command_the_help_is_shown(quorate: Run) -> None:
    code, out, err = quorate()
    assert (code, out) == (2, "")
    assert err.startswith("Usage: quorate") and "  explain   Explain an error code" in err


def test_all_errors_of_all_files_in_one_run(quorate: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "a.spec", tmp_path / "b.spec"
    first.write_text("spec A\nstate x: Boool = false\nstate y: Bool = maybe\n")
    second.write_text("")
    code, out, err = quorate("check", str(first), str(second))
    assert (code, out) == (2, "")
    assert err.count("error[") == 3


# --- streams and output -----------------------------------------------------------------------------


def test_results_go_to_stdout_and_nothing_else_does(quorate: Run, toggle: str) -> None:
    _, out, err = quorate("check", toggle, "-i", "good")
    assert out.startswith("Toggle, instance good\n\nholds: all 2 reachable states, depth 1;")
    assert err == ""


def test_quiet_is_one_line_an_instance(quorate: Run, toggle: str) -> None:
    _, out, err = quorate("check", toggle, "--quiet")
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"Toggle {i}" for i in ("good", "plain", "bad", "asked", "wrong")]
    assert err == ""


def test_the_counterexample_of_an_expected_violation_is_printed(quorate: Run, toggle: str) -> None:
    code, out, _ = quorate("check", toggle, "-i", "asked")
    assert code == 0
    assert out.startswith("NeverOn is violated after 1 step, as expected (Toggle, instance asked)\n")
    assert "  1  press   on: false → true\n" in out
    assert "  fails:   not on" in out


def test_json_on_stdout_is_one_document(quorate: Run, toggle: str) -> None:
    code, out, _ = quorate("check", "--json", toggle)
    data = json.loads(out)
    jsonschema.validate(data, SCHEMA)
    assert (code, data["exit_code"]) == (1, 1)
    assert [v["instance"] for v in data["verdicts"]] == ["good", "plain", "bad", "asked", "wrong"]


def test_json_of_errors_is_a_document_as_well(quorate: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.spec"
    path.write_text("spec A\nstate x: Boool = false\n")
    code, out, err = quorate("check", "--json", str(path))
    data = json.loads(out)
    jsonschema.validate(data, SCHEMA)
    assert (code, data["exit_code"], data["verdicts"]) == (2, 2, [])
    assert data["diagnostics"][0]["place"]["line"] == 2
    assert "error[" in err


@pytest.mark.parametrize("arguments", [("-i", "missing"), ("--set", "Nothing=3")])
def test_json_of_instances_that_cannot_be_explored_is_a_document_as_well(
    quorate: Run, toggle: str, arguments: tuple[str, ...]
) -> None:
    data = json.loads(quorate("check", "--json", toggle, *arguments)[1])
    jsonschema.validate(data, SCHEMA)
    assert (data["exit_code"], data["verdicts"], len(data["diagnostics"])) == (2, [], 1)


def test_json_in_a_file_beside_text_and_show_prints_the_same(quorate: Run, toggle: str, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    code, out, _ = quorate("check", toggle, "-i", "bad", "--json", str(target))
    jsonschema.validate(json.loads(target.read_text()), SCHEMA)
    assert (code, "NeverOn is violated" in out) == (1, True)
    assert quorate("show", str(target))[1].strip() == out.strip()
    assert quorate("show", str(target), "--hide", "on")[1] != out
    assert "did you mean `on`?" in quorate("show", str(target), "--only", "onn")[2]


def test_formats_beside_text(quorate: Run, toggle: str, tmp_path: Path) -> None:
    names = {"junit": "o.xml", "sarif": "o.sarif", "gitlab": "o.gitlab.json", "itf": "o.itf.json"}
    options = [f"--{name}={tmp_path / file}" for name, file in names.items()]
    code, out, err = quorate("check", toggle, "-i", "bad", "-i", "good", *options)
    assert (code, err) == (1, "") and "NeverOn is violated" in out
    assert "<failure" in (tmp_path / "o.xml").read_text()
    assert '"violated-invariant"' in (tmp_path / "o.sarif").read_text()
    assert [i["severity"] for i in json.loads((tmp_path / "o.gitlab.json").read_text())] == ["critical"]
    assert [s["on"] for s in json.loads((tmp_path / "o.itf.json").read_text())["states"]] == [False, True]
    code, out, err = quorate("check", toggle, "-i", "good", f"--itf={tmp_path / 'none'}", "--junit", "-")
    assert (code, err) == (0, f"no counterexample, so nothing is written to {tmp_path / 'none'}\n")
    assert out.startswith("<?xml") and "<failure" not in out
    saved = tmp_path / "saved.json"
    quorate("check", toggle, "-i", "bad", f"--json={saved}")
    assert quorate("show", str(saved), "--junit", "-")[1].count("<failure") == 1
    assert quorate("lint", toggle, "--sarif", "-")[0] == 0


@pytest.mark.parametrize("verb", ["check", "prove"])
def test_an_interrupt_before_anything_is_known_is_told_in_files_too(
    quorate: Run, toggle: str, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"checker.{'explore.check.check' if verb == 'check' else 'prove.prove.prove'}", interrupt)
    code, out, _ = quorate(verb, toggle, "--json")
    jsonschema.validate(json.loads(out), SCHEMA)
    assert code == 130
    assert [r["outcome"] for r in json.loads(out)["results"]] == ["interrupted"]


def test_json_never_takes_a_spec_for_its_file(quorate: Run, toggle: str) -> None:
    quorate("check", "--json", toggle, "-i", "good")
    assert Path(toggle).read_text() == TOGGLE


def test_lint_and_parse(quorate: Run, monkeypatch: pytest.MonkeyPatch, toggle: str, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    assert quorate("lint", toggle) == (0, "1 file: no errors, no warnings\n", "")
    code, out, _ = quorate("parse", "specs/paxos.spec")
    assert code == 0
    assert "  message Promise(ballot: Ballot, last: Vote?) from Acceptor\n" in out
    assert "    durable promised: Ballot?\n" in out
    code, out, _ = quorate("parse", "--json", "specs/paxos.spec")
    outline = json.loads(out)["specs"][0]
    assert outline["spec"] == "Paxos"
    assert {"kind": "order", "name": "Ballot"}.items() <= outline["declarations"][0].items()
    (tmp_path / "bad.spec").write_text("spec Bad\nstate x: Bool = y\n")
    code, out, err = quorate("lint", str(tmp_path / "bad.spec"), toggle)
    assert (code, out) == (2, "2 files: 1 error, no warnings\n")
    assert "error[Q0201]" in err


def test_colour_options(quorate: Run, toggle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    assert "\x1b[" not in quorate("check", toggle, "-i", "good")[1]
    assert "\x1b[" in quorate("check", toggle, "-i", "good", "--color", "always")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in quorate("check", toggle, "-i", "good")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in quorate("check", toggle, "-i", "good")[1]


def test_simulate_repeats_itself_with_a_seed(quorate: Run, toggle: str) -> None:
    first = quorate("simulate", toggle, "-i", "bad", "--seed", "7")
    again = quorate("simulate", toggle, "-i", "bad", "--seed", "7")
    assert first[0] == 1 and "NeverOn is violated after" in first[1]
    strip = re.compile(r"<?[\d.]+ s$", re.MULTILINE)
    assert strip.sub("", first[1]) == strip.sub("", again[1])
    code, out, _ = quorate("simulate", toggle, "-i", "good", "--walks", "3", "--length", "5")
    assert code == 0 and "holds" not in out


# --- the process ------------------------------------------------------------------------------------


def test_help_and_small_checks_are_fast_and_import_little(toggle: str) -> None:
    program = (
        "import sys; from checker.cli import run; run(sys.argv[1:]); "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'z3', 'rich', 'pytest', 'lark', 'jsonschema'}))"
    )
    for arguments, modules in ((["--help"], []), (["check", toggle, "-i", "good"], ["lark"])):
        ran = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        allowed = [str(modules), "[]"]  # the parser may come from its cache without lark
        assert ran.stdout.splitlines()[-1] in allowed, ran.stdout + ran.stderr


def test_a_ten_state_spec_takes_less_than_0_6_seconds(toggle: str) -> None:
    """In time of the processor: that is the time on the clock, too, where nothing else is running."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    times = []
    for _ in range(3):
        start = used()
        assert process("check", toggle, "-i", "good").returncode == 0
        times.append(used() - start)
    assert min(times) < 0.6, times


ENDLESS = """\
spec Endless
constant N: Int
state x: Map[0..15, 0..N] = [i in 0..15 -> 0]
action step(i in 0..15)
    require x[i] < N
    x[i] := x[i] + 1
invariant Small
    forall i in 0..15: x[i] <= N
terminal
    true
instance huge
    N = 3
"""


@pytest.fixture
def endless(tmp_path: Path) -> str:
    path = tmp_path / "endless.spec"
    path.write_text(ENDLESS)
    return str(path)


ENGINES = ("interpreter", "native")


@pytest.mark.parametrize("engine", ENGINES)
def test_interrupted_runs_say_how_far_they_got(endless: str, engine: str) -> None:
    command = [sys.executable, "-m", "checker", "check", endless, "--engine", engine, "--timeout", "20"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        assert any("states/s" in line for line in child.stderr)  # it is at work
        child.send_signal(signal.SIGINT)
        try:
            out, err = child.communicate(timeout=30)
        finally:
            child.kill()
    assert child.returncode == 130, err
    assert "inconclusive: interrupted" in out and "no violation among" in out
    assert "holds" not in out and "Traceback" not in err


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("limit", [("--timeout", "1"), ("--memory", "100M")])
def test_runs_cut_short_are_inconclusive(quorate: Run, endless: str, limit: tuple[str, str], engine: str) -> None:
    code, out, _ = quorate("check", endless, "--engine", engine, *limit)
    assert code == 4
    assert "inconclusive: out of " in out and "holds" not in out


def test_progress_is_a_plain_line_where_there_is_no_terminal(endless: str) -> None:
    ran = process("check", endless, "--engine", "interpreter", "--timeout", "2.6")
    assert re.search(
        r"^Endless huge: .* states, .* in the frontier, depth \d+, .* states/s, \d+ MiB$", ran.stderr, re.M
    )
    assert ran.returncode == 4
    assert process("check", endless, "--engine", "interpreter", "--timeout", "2.6", "--quiet").stderr == ""


def test_a_reader_who_goes_away_is_no_error(toggle: str) -> None:
    shell = f'{sys.executable} -m checker check {toggle} -i bad; echo "code $?" >&2'
    ran = subprocess.run(["sh", "-c", f"({shell}) | true"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.stderr == "code 1\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_a_disk_that_is_full_is_no_internal_error(toggle: str) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "checker", "check", toggle, "-i", "good"]
        ran = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error[Q0715]: the output cannot be written")


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
def test_hashes_instead_of_states_are_told_with_what_they_risk(quorate: Run, toggle: str) -> None:
    code, out, _ = quorate("check", toggle, "-i", "good", "--engine", "native", "--hash-compact")
    assert code == 0
    assert "all 2 reachable states" in out and "told apart by 64-bit hashes" in out


def test_output_without_unicode(toggle: str) -> None:
    ran = process("check", toggle, "-i", "bad", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert "on: false -> true" in ran.stdout


def test_progress_is_a_line_that_renews_itself_on_a_terminal(endless: str) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "checker", "check", endless, "--engine", "interpreter", "--timeout", "1.5"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=follower, text=True) as child:
        out, _ = child.communicate(timeout=30)
    os.close(follower)
    shown = os.read(leader, 1 << 20).decode()
    os.close(leader)
    assert "states/s" in shown and "\x1b[" in shown
    assert "states/s" not in out and "\x1b[" not in out


def test_completion_comes_from_click() -> None:
    def complete(*words: str) -> str:
        asked = {"_QUORATE_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
        return process(env={**os.environ, **asked}).stdout

    assert "plain,check\n" in complete("quorate", "ch")
    assert "file,sp\n" in complete("quorate", "check", "sp")


def test_version(quorate: Run) -> None:
    code, out, _ = quorate("--version")
    assert code == 0 and re.fullmatch(r"quorate (\d+\.\d+\.\d+|unknown)\n", out)

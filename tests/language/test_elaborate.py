"""The typed form of specs: places, roles, steps, ghosts, properties and instances, as the engines get them."""

from __future__ import annotations

import pytest
from typed import action, body, clauses, diagnostics, shown, spec, variable

from checker.language import ir
from checker.language import types as t
from checker.language.types import show

# --- declarations in any order ----------------------------------------------------------------------


def test_declarations_stand_in_any_order() -> None:
    of = spec("""
spec Order
invariant Safe
    later(one)
proof Safe from Help
after step(k)
    had := had union {k}
lemma Help
    later(two) and one in had
ghost had: Set[0..top] = {}
define later(k in 0..top) = latest(k) and one <= two
define latest(k in Int) = k <= x.value.number
define one = 1
define two = one + one
action step(k in 0..top)
    set_to(Box(Inner(k)))
procedure set_to(b in Box)
    really(b)
procedure really(b in Box)
    require b != x
    x := b
state x: Box = Box(start)
record Box(value: Inner)
record Inner(number: 0..top)
constant start: Inner
constant top: 0..most
constant most: Int
""")
    assert [d.name for d in of.definitions] == ["later", "latest", "one", "two"]
    assert clauses(of, "Help") == ["(later(two()) and (one() in had))"]
    assert body(of, "step") == ["set_to(Box(Inner(k)))", "had := (had union {k})"]
    assert body(of, "really") == ["require (b != x)", "x := b"]
    assert [(c.name, show(c.type)) for c in of.constants] == [("start", "Inner"), ("top", "0..most"), ("most", "Int")]
    assert of.proofs == (ir.Proof("Safe", of.proofs[0].span, ("Help",)),)


def test_a_quorum_without_meets_meets_itself() -> None:
    of = spec("""
spec Families
sort Node
quorum Read of Node meets Write, Write
quorum Write of Node
state x: Set[Node] = {}
""")
    assert [(q.name, q.meets) for q in of.quorums] == [("Read", ("Write",)), ("Write", ("Write",))]


# --- roles ------------------------------------------------------------------------------------------

ROLE = """
spec Roles
sort Node
order Term from zero
record Entry(term: Term, owner: Node?)
record Log(last: Entry?, entries: Seq[Term, Entry])
constant first: Node
state leader: Node? = none
state owner: Map[Term, Node] = any
ghost had: Map[Node, Set[Term]] = [n in Node -> {}]
ghost steps: 0..9 = 0
role Node
    durable term: Term = if self == first then zero else zero
    durable log: Log = Log(none, [])
    volatile peers: Set[Node] = {first}
    volatile guess: Term? = any
    volatile hint: Node? = self
    ghost past: Seq[0..9, Term] = []
    define ahead(t in Term) = t < term
    define fresh = ahead(zero) and self.ahead(zero)
    procedure raise(t in Term)
        require not ahead(t)
        term := t
    action advance(t in Term)
        raise(t)
        log.last.owner := self
        self.log.entries[t].owner := none
    timeout expire
        let other = if peers == {} then none else self
        guess := none
action meddle(n in Node, t in Term)
    n.term := t
    leader.term := t
    first.log.last := none
    owner[t].log.entries[t].term := n.term
    owner[n.term].hint := n
after Node.advance
    had[self] := had[self] union {t, term, old(term)}
    past := append(past, t)
after Node.advance(n, s)
    n.past := append(n.past, s)
    if n.fresh and old(not n.fresh)
        let before = old(steps)
        steps := before + 1
after Node.crash(n)
    had[n] := {}
after meddle
    had[n] := {t}
step Grows
    forall n in Node: old(n.term) <= n.term and old(n.fresh) => n.ahead(old(n.term))
"""


def test_fields_are_maps_of_nodes() -> None:
    of = spec(ROLE)
    assert [(v.name, show(v.type), v.kind) for v in of.variables if v.role] == [
        ("Node.term", "Map[Node, Term]", "durable"),
        ("Node.log", "Map[Node, Log]", "durable"),
        ("Node.peers", "Map[Node, Set[Node]]", "volatile"),
        ("Node.guess", "Map[Node, Term?]", "volatile"),
        ("Node.hint", "Map[Node, Node?]", "volatile"),
        ("Node.past", "Map[Node, Seq[0..9, Term]]", "ghost"),
    ]
    initial = {v.name: None if v.initial is None else shown(v.initial) for v in of.variables}
    assert initial["Node.term"] == "[self in Node -> (if (self == first) then Term#0 else Term#0)]"
    assert initial["Node.hint"] == "[self in Node -> some self]"
    assert initial["Node.guess"] is None
    assert [(r.name, r.type) for r in of.roles] == [("Node", t.Sort("Node"))]


def test_definitions_and_procedures_of_a_role_take_the_node_first() -> None:
    of = spec(ROLE)
    definitions = {d.name: ([p.name for p in d.parameters], shown(d.body)) for d in of.definitions}
    assert definitions["Node.ahead"] == (["self", "t"], "(t < Node.term[self])")
    assert definitions["Node.fresh"] == (["self"], "(Node.ahead(self, Term#0) and Node.ahead(self, Term#0))")
    assert body(of, "Node.raise") == ["require Not(Node.ahead(self, t))", "Node.term := Node.term[self := t]"]


def test_parts_of_places_are_written_back_into_the_whole() -> None:
    of = spec(ROLE)
    assert body(of, "Node.advance")[:3] == [
        "Node.raise(self, t)",
        "Node.log := Node.log[self := Node.log[self][.last := some Node.log[self].last![.owner := some self]]]",
        "Node.log := Node.log[self := Node.log[self][.entries := Node.log[self].entries[t := "
        "Node.log[self].entries[t][.owner := none]]]]",
    ]


def test_nodes_are_named_by_state_and_constants() -> None:
    assert body(spec(ROLE), "meddle")[:5] == [
        "Node.term := Node.term[n := t]",
        "Node.term := Node.term[leader! := t]",
        "Node.log := Node.log[first := Node.log[first][.last := none]]",
        "Node.log := Node.log[owner[t] := Node.log[owner[t]][.entries := Node.log[owner[t]].entries[t := "
        "Node.log[owner[t]].entries[t][.term := Node.term[n]]]]]",
        "Node.hint := Node.hint[owner[Node.term[n]] := some n]",
    ]


def test_ghost_updates_follow_the_body_in_order() -> None:
    of = spec(ROLE)
    assert body(of, "Node.advance")[3:] == [
        "had := had[self := (had[self] union {t, Node.term[self], Old(Node.term[self])})]",
        "Node.past := Node.past[self := Append(Node.past[self], t)]",
        "Node.past := Node.past[self := Append(Node.past[self], t)]",
        "if (Node.fresh(self) and Old(Not(Node.fresh(self))))",
        "  let before: Int = Old(steps)",
        "  steps := (before + 1)",
    ]
    assert body(of, "meddle")[5:] == ["had := had[n := {t}]"]


def test_a_crash_resets_what_is_volatile() -> None:
    of = spec(ROLE)
    crash = action(of, "Node.crash")
    assert (crash.kind, crash.role, [p.name for p in crash.parameters]) == ("crash", "Node", ["self"])
    assert body(of, "Node.crash") == [
        "pick guess in Term?",
        "Node.peers := Node.peers[self := {first}]",
        "Node.guess := Node.guess[self := guess]",
        "Node.hint := Node.hint[self := some self]",
        "had := had[self := {}]",
    ]


def test_a_role_without_volatile_fields_does_not_crash() -> None:
    of = spec("""
spec Sound
sort Node
role Node
    durable x: Bool = true
    action flip
        x := not x
    timeout flop
        x := not x
""")
    assert [(a.qualified, a.kind) for a in of.actions] == [("Node.flip", "action"), ("Node.flop", "timeout")]


def test_what_had_a_value_before_the_step() -> None:
    assert clauses(spec(ROLE), "Grows") == [
        "(forall n in Node: (((Old(Node.term[n]) <= Node.term[n]) and Old(Node.fresh(n))) => "
        "Node.ahead(n, Old(Node.term[n]))))"
    ]


def test_a_role_may_be_an_order() -> None:
    of = spec("""
spec Ring
order Seat
role Seat
    durable full: Bool = false
    action move
        require full
        full := false
action fill(s in Seat)
    s.next.full := s.full
""")
    assert body(of, "fill") == ["Seat.full := Seat.full[Next(s) := Seat.full[s]]"]


# --- bodies -----------------------------------------------------------------------------------------


def test_bodies() -> None:
    of = spec("""
spec Bodies
sort Node
enum Phase = idle, busy
state chosen: Set[Node] = {}
state phase: Map[Node, Phase] = [n in Node -> idle]
state best: Node? = none
action choose(m, n in Node, others in Set[Node], p in {idle, busy})
    require m != n and phase[m] == p
    let mine = others union {m}
    pick x, y in mine where x != y
    if x in chosen
        require y not in chosen
        chosen := mine minus {y}
    elif best == x
        skip
    else
        best := x
        phase[x] := busy
    best := if y in chosen then y else none
""")
    assert [p.name for p in action(of, "choose").parameters] == ["m", "n", "others", "p"]
    assert [show(p.type) for p in action(of, "choose").parameters] == ["Node", "Node", "Set[Node]", "Phase"]
    assert body(of, "choose") == [
        "require ((m != n) and (phase[m] == p))",
        "let mine: Set[Node] = (others union {m})",
        "pick x in mine",
        "pick y in mine where (x != y)",
        "if (x in chosen)",
        "  require Not((y in chosen))",
        "  chosen := (mine minus {y})",
        "if (best == some x)",
        "else",
        "  best := some x",
        "  phase := phase[x := Phase#1]",
        "best := (if (y in chosen) then some y else none)",
    ]


def test_names_of_functions_may_be_names_of_state() -> None:
    of = spec("""
spec Names
sort Node
constant max: 0..3
state size: Set[Node] = {}
state from: 0..3 = max
action length(to in Node)
    require size(size) < max and max(from, max) == from
    size := size union {to}
""")
    assert body(of, "length")[0] == "require ((Size(size) < max) and ((if (from >= max) then from else max) == from))"


# --- properties and instances -----------------------------------------------------------------------


def test_several_terminals_and_assumptions_without_names() -> None:
    of = spec("""
spec Unnamed
constant n: Int
state x: 0..3 = 0
assume n > 0
assume
    n > 1
    n < 5
assume Odd
    n != 2
terminal
    x == 1
terminal Last
    x == 3
""")
    assert [(p.name, p.kind, len(p.clauses)) for p in of.properties] == [
        ("assume", "assume", 1),
        ("assume", "assume", 2),
        ("Odd", "assume", 1),
        ("terminal", "terminal", 1),
        ("Last", "terminal", 1),
    ]


def test_instances() -> None:
    of = spec("""
spec Sizes
sort Acceptor
sort Account
sort Node
sort Node1
order Ballot
enum Colour = red, green
quorum Quorum of Acceptor
quorum Other of Ballot
record Pair(left: Acceptor, right: 0..3?)
constant n: Int
constant flag: Bool
constant colour: Colour?
constant first: Acceptor
constant second: Account?
constant node: Node1
constant start: Ballot
constant last: Ballot?
constant pair: Pair
constant some: Set[Acceptor]
constant positions: Set[Ballot]
constant numbers: Set[0..9]
state x: Bool = true
invariant Safe
    x
lemma Aid
    x
reachable Off
    not x
instance whole
    Acceptor = 3
    Ballot = 2
    Quorum = {acce0, acce1}, {acce1, acce2}, {acce1, acce0}
    Other = {0, 1}, {1}
    n = 2 * size(Acceptor) - 1
    flag = false
    colour = green
    first = acce2
    second = acco0
    node = node1_3
    start = 1
    last = none
    pair = Pair(acce1, none)
    some = {acce0, acce1}
    positions = {0, 1}
    numbers = {3}
    crashes <= 1
    timeouts <= 0
    messages <= 1_000
    check Safe, Off
    check Deadlock
    expect states 12
    expect violated Safe after 1 step
    expect violated Deadlock
    expect unreachable Off
instance plain
    Quorum = majority
    Other = 1 of Ballot
    numbers = {}
    allow deadlock
""")
    whole, plain = of.instances
    assert whole.sizes == (("Acceptor", 3), ("Ballot", 2))
    assert whole.quorums[0] == ("Quorum", ir.Listed(((0, 1), (1, 2), (1, 0))))
    assert whole.quorums[1] == ("Other", ir.Listed(((0, 1), (1,))))
    assert {name: shown(value) for name, value in whole.constants} == {
        "n": "((2 * Size(Acceptor)) - 1)",
        "flag": "false",
        "colour": "some Colour#1",
        "first": "Acceptor#2",
        "second": "some Account#0",
        "node": "Node1#3",
        "start": "Ballot#1",
        "last": "none",
        "pair": "Pair(Acceptor#1, none)",
        "some": "{Acceptor#0, Acceptor#1}",
        "positions": "{Ballot#0, Ballot#1}",
        "numbers": "{3}",
    }
    assert whole.limits == (("crashes", 1), ("timeouts", 0), ("messages", 1000))
    assert whole.only == ("Safe", "Off", "Deadlock") and not whole.allow_deadlock
    assert [type(e).__name__ for e in whole.expected] == ["ExpectStates", *["ExpectViolated"] * 2, "ExpectUnreachable"]
    assert [e.steps for e in whole.expected if isinstance(e, ir.ExpectViolated)] == [1, None]
    assert plain.only is None and plain.allow_deadlock and plain.expected == ()
    assert plain.quorums[0] == ("Quorum", ir.Majorities())
    assert isinstance(plain.quorums[1][1], ir.OfSize) and shown(plain.quorums[1][1].size) == "1"


# --- size and depth ---------------------------------------------------------------------------------

DEEP = "spec Deep\nstate b: Bool = true\nstate o: 0..3? = none\n"


@pytest.mark.parametrize(
    "text",
    [
        "invariant I\n    " + "not " * 190 + "b",
        "invariant I\n    " + "b and " * 4000 + "b",
        "invariant I\n    o == " + "(if b then none else " * 95 + "o" + ")" * 95,
        "invariant I\n    " + "(if b then " * 95 + "none" + " else o)" * 95 + " == o",
        "invariant I\n    " + "{" * 95 + "1" + "}" * 95 + " == " + "{" * 95 + "1" + "}" * 95,
        "".join(f"define d{i} = not d{i + 1}\n" for i in range(400)) + "define d400 = b\ninvariant I\n    d0",
        "".join(f"procedure p{i}\n    p{i + 1}()\n" for i in range(400)) + "procedure p400\n    b := b\n",
        "action a\n" + "".join(f"    let v{i + 1} = {f'v{i}' if i else 'b'}\n" for i in range(400)),
        "action a\n" + "".join("    " * (i + 1) + "if b\n" for i in range(90)) + "    " * 91 + "b := b",
    ],
    ids=["not", "and", "else", "then", "sets", "definitions", "procedures", "lets", "ifs"],
)
def test_deep_nesting_is_no_problem(text: str) -> None:
    assert spec(DEEP + text).name == "Deep"


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"define d{i} = not d{i + 1}\n" for i in range(2000)) + "define d2000 = b\n",
        "define d2000 = b\n" + "".join(f"define d{i} = not d{i + 1}\n" for i in reversed(range(2000))),
        "".join(f"procedure p{i}\n    p{i + 1}()\n" for i in range(2000)) + "procedure p2000\n    b := b\n",
    ],
    ids=["forwards", "backwards", "procedures"],
)
def test_what_is_too_deep_is_reported_once(text: str) -> None:
    assert [d.code for d in diagnostics(DEEP + text)] == ["Q0417"]


def test_a_file_without_a_head_is_no_spec() -> None:
    assert [d.code for d in diagnostics("sort Node\n")] == ["Q0107"]
    assert [d.code for d in diagnostics("")] == ["Q0107"]


def test_variables_of_a_spec_know_their_initial_values() -> None:
    of = spec("spec S\nstate a: 0..2 = zero\nstate b: Set[0..2]? = {1}\nstate c: Bool = any\n")
    assert [v.initial and shown(v.initial) for v in of.variables] == ["0", "some {1}", None]
    assert variable(of, "b").kind == "state"


def test_names_of_counters_are_free_where_they_cannot_be_confused() -> None:
    of = spec("""
spec Counted
sort Node
role Node
    durable crashes: 0..3 = 0
    action count(timeouts in 0..3)
        crashes := timeouts
""")
    assert body(of, "Node.count") == ["Node.crashes := Node.crashes[self := timeouts]"]

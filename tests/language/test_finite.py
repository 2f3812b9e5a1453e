"""What an instance makes of a spec: only the history that something reads, and counters for its limits."""

from __future__ import annotations

import pytest
from typed import action, body, shown, spec, variable

from checker.language import ir
from checker.language.finite import for_instance, with_limits, without_history
from checker.language.types import show

GHOSTS = """
spec Ghosts
sort Node
message Ping from Node to Node
message Ack from Node to Node
network reordering
state turn: Node? = none
ghost had: Set[Node] = {}
ghost turns: 0..9 = 0
ghost copy: 0..9 = 0
ghost by_branch: Bool = false
ghost by_let: Bool = false
ghost unread: 0..9 = 0
define has_had(n in Node) = n in had
define twice = turns + turns
define acked(n in Node) = sent Ack from n
role Node
    durable count: 0..3 = 0
    ghost past: Set[0..3] = {}
    on Ping(m)
        count := 0
        send Ack to m.from
    on Ack
        skip
action take(n in Node)
    turn := n
    n.count := 1
    if turn == n
        send Ping from n to n
after take(n)
    had := had union {n}
    let before = turns
    let sum = before + 1
    turns := sum
    copy := twice
    if copy > 3
        by_branch := true
        let doubled = sum + sum
        if n == turn
            by_let := doubled > 3
    n.past := n.past union {n.count}
    unread := unread + 1
step Had
    forall n in Node: has_had(n) or not has_had(n)
lemma Branch
    not by_branch
lemma Let
    not by_let
lemma Copy
    copy <= 9
lemma Past
    forall n in Node: n.past != {}
lemma Acked
    forall n in Node: acked(n)
lemma Sent
    exists m in sent Ping: m.from == m.to
lemma Plain
    turn == none
instance all
instance had
    check Had
instance branch
    check Branch
instance by_let
    check Let
instance copy
    check Copy
instance past
    check Past
instance acked
    check Acked
instance sent
    check Sent
instance plain
    check Plain
"""
HISTORY = {"had", "turns", "copy", "by_branch", "by_let", "unread", "Node.past", "sent Ping", "sent Ack"}


def instance(name: str) -> ir.Spec:
    of = spec(GHOSTS)
    (decl,) = (i for i in of.instances if i.name == name)
    return for_instance(of, decl)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("all", HISTORY - {"unread"}),
        ("had", {"had"}),
        ("branch", {"by_branch", "copy", "turns"}),
        ("by_let", {"by_let", "copy", "turns"}),
        ("copy", {"copy", "turns"}),
        ("past", {"Node.past"}),
        ("acked", {"sent Ack"}),
        ("sent", {"sent Ping"}),
        ("plain", set()),
    ],
)
def test_only_the_history_that_is_read_is_carried(name: str, kept: set[str]) -> None:
    of = instance(name)
    assert {v.name for v in of.variables} & HISTORY == kept
    assigned = {line.split(" := ")[0].strip() for a in of.actions for line in body(of, a.qualified) if " := " in line}
    assert assigned & HISTORY == kept
    text = "\n".join(line for a in of.actions for line in body(of, a.qualified))
    for gone in HISTORY - kept:
        assert gone not in text


def test_what_only_the_history_used_goes_with_it() -> None:
    assert body(instance("plain"), "take") == [
        "turn := some n",
        "Node.count := Node.count[n := 1]",
        "if (turn == some n)",
        "  flying Ping := BagWith(flying Ping, Ping(n, n))",
    ]
    assert body(instance("copy"), "take")[4:] == [
        "let before: Int = turns",
        "let sum: Int = (before + 1)",
        "turns := sum",
        "copy := twice()",
    ]


def test_definitions_that_speak_of_lost_history_go_too() -> None:
    assert {d.name for d in instance("plain").definitions} == set()
    assert {d.name for d in instance("had").definitions} == {"has_had"}
    assert {d.name for d in instance("all").definitions} == {"has_had", "twice", "acked"}


def test_only_the_properties_asked_for_are_left() -> None:
    assert [p.name for p in instance("copy").properties] == ["Copy"]
    assert len(instance("all").properties) == 8


def test_a_spec_that_needs_all_its_history_stays_as_it_is() -> None:
    of = spec(
        "spec Plain\nstate x: 0..3 = 0\naction step\n    require x < 3\n    x := x + 1\ninvariant I\n    x <= 3\n"
    )
    assert without_history(of) is of
    assert with_limits(of, {}) is of


def test_what_was_sent_is_kept_where_a_guard_or_a_choice_asks_for_it() -> None:
    text = """
spec Asked
sort Node
message Ping from Node to Node
message Pong from Node to Node
network reordering
role Node
    on Ping
        skip
    on Pong
        skip
action once(n in Node)
    require not sent Ping from n
    send Ping from n to n
    send Pong from n to n
action {again}
"""
    again = "again(m in sent Pong)\n    skip"
    guarded = "again(n in Node)\n    if sent Pong from n\n        require false"
    picked = "again\n    pick m in sent Pong"
    plain = "again(n in Node)\n    skip"
    for asked, expected in ((again, True), (guarded, True), (picked, True), (plain, False)):
        of = without_history(spec(text.replace("{again}", asked)))
        assert "sent Ping" in {v.name for v in of.variables}
        assert ("sent Pong" in {v.name for v in of.variables}) == expected


def test_the_growing_set_is_no_history() -> None:
    of = spec(GHOSTS.replace("network reordering", "network lossy, duplicating, reordering"))
    (plain,) = (i for i in of.instances if i.name == "plain")
    assert {"sent Ping", "sent Ack"} <= {v.name for v in for_instance(of, plain).variables}


# --- limits -----------------------------------------------------------------------------------------

LIMITS = """
spec Limits
sort Node
message Ping from Node to Node
network {network}
state x: 0..9 = 0
role Node
    volatile up: Bool = true
    timeout expire
        require up
        up := false
    on Ping
        tell(self)
    action greet
        if up
            send Ping to each n in Node
    action rest
        up := true
procedure tell(n in Node)
    send Ping from n to n
instance limited
    crashes <= 2
    timeouts <= 1
    messages <= 3
"""


def limited(network: str) -> ir.Spec:
    text = LIMITS.replace("{network}", network).replace("        tell(self)", "        send Ping to self")
    of = spec(text)
    return for_instance(of, of.instances[0])


@pytest.mark.parametrize(
    ("network", "count"),
    [
        ("lossy, duplicating, reordering", "Size(sent Ping)"),
        ("reordering", "QueueLength(flying Ping)"),
        ("fifo", "QueueLength(channels Node Node)"),
    ],
)
def test_limits(network: str, count: str) -> None:
    of = limited(network)
    counters = [(v.name, show(v.type), v.kind, v.initial and shown(v.initial)) for v in of.variables[-2:]]
    assert counters == [("crashes", "0..2", "limit", "0"), ("timeouts", "0..1", "limit", "0")] or counters == [
        ("crashes", show(variable(of, "crashes").type), "limit", "0"),
        ("timeouts", show(variable(of, "timeouts").type), "limit", "0"),
    ]
    assert body(of, "Node.crash")[-2:] == ["within (crashes < 2) [crashes <= 2]", "crashes := (crashes + 1)"]
    assert body(of, "Node.expire")[-2:] == ["within (timeouts < 1) [timeouts <= 1]", "timeouts := (timeouts + 1)"]
    few = f"within ({count} <= 3) [messages <= 3]"
    assert body(of, "Node.greet")[-1] == few
    assert body(of, "Node.on Ping")[-1] == few
    assert few not in body(of, "Node.rest") and few not in body(of, "Node.expire")


def test_a_limit_sees_messages_that_procedures_send() -> None:
    text = LIMITS.replace("{network}", "reordering").replace(
        "    on Ping\n        tell(self)\n", "    on Ping\n        skip\n"
    )
    of = spec(text + "action outside(n in Node)\n    tell(n)\n")
    found = for_instance(of, of.instances[0])
    assert body(found, "outside") == ["tell(n)", "within (QueueLength(flying Ping) <= 3) [messages <= 3]"]
    assert len(body(found, "Node.on Ping")) == 2


def test_what_was_sent_is_no_message_in_flight() -> None:
    text = (
        LIMITS.replace("{network}", "reordering").replace("tell(self)", "skip") + "invariant I\n    sent Ping == {}\n"
    )
    of = spec(text)
    found = for_instance(of, of.instances[0])
    assert "sent Ping" in {v.name for v in found.variables}
    assert body(found, "Node.greet")[-1] == "within (QueueLength(flying Ping) <= 3) [messages <= 3]"


def test_limits_of_what_there_is_not_change_nothing() -> None:
    of = spec("spec Plain\nstate x: Bool = true\naction flip\n    x := not x\n")
    assert with_limits(of, {"crashes": 1, "timeouts": 1, "messages": 1}) == of
    assert action(of, "flip").body == action(with_limits(of, {"messages": 0}), "flip").body

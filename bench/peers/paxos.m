-- Paxos as in specs/paxos.spec; messages stay for good, as arrays of bits.
const Acceptors: @Acceptor@; Ballots: @Ballot@; Values: @Value@; Majority: (Acceptors / 2) + 1;
type
  Acceptor: scalarset(Acceptors);
  Value: scalarset(Values);
  Ballot: 1..Ballots;
  BallotOrNone: 0..Ballots;
var
  promised: array[Acceptor] of BallotOrNone;
  vote_ballot: array[Acceptor] of BallotOrNone;
  vote_value: array[Acceptor] of Value;
  prepare: array[Ballot] of boolean;
  promise_none: array[Acceptor] of array[Ballot] of boolean;
  promise_vote: array[Acceptor] of array[Ballot] of array[Ballot] of array[Value] of boolean;
  accept: array[Ballot] of array[Value] of boolean;
  accepted: array[Acceptor] of array[Ballot] of array[Value] of boolean;

-- A majority promised ballot b, and the latest vote that it reports, if any, is for v.
function Safe(b: Ballot; v: Value): boolean;
var heard: 0..Acceptors; reported: boolean;
begin
  heard := 0;
  for a: Acceptor do
    if promise_none[a][b] then heard := heard + 1; end;
  end;
  if heard >= Majority then return true; end;
  for c: Ballot do
    reported := false;
    for a: Acceptor do for w: Value do
      if promise_vote[a][b][c][w] then
        heard := heard + 1;
        if w = v then reported := true; end;
      end;
    end; end;
    if reported & heard >= Majority then return true; end;
  end;
  return false;
end;

function Chosen(v: Value): boolean;
var votes: 0..Acceptors;
begin
  for b: Ballot do
    votes := 0;
    for a: Acceptor do
      if accepted[a][b][v] then votes := votes + 1; end;
    end;
    if votes >= Majority then return true; end;
  end;
  return false;
end;

startstate
begin
  for a: Acceptor do
    promised[a] := 0; vote_ballot[a] := 0; undefine vote_value[a];
    for b: Ballot do
      promise_none[a][b] := false;
      for c: Ballot do for v: Value do promise_vote[a][b][c][v] := false; end; end;
      for v: Value do accepted[a][b][v] := false; end;
    end;
  end;
  for b: Ballot do
    prepare[b] := false;
    for v: Value do accept[b][v] := false; end;
  end;
end;

ruleset b: Ballot do
  rule "prepare" !prepare[b] ==> begin prepare[b] := true; end;
end;

ruleset a: Acceptor; b: Ballot do
  rule "on Prepare" prepare[b] & promised[a] < b ==>
  begin
    promised[a] := b;
    if vote_ballot[a] = 0 then promise_none[a][b] := true;
    else promise_vote[a][b][vote_ballot[a]][vote_value[a]] := true; end;
  end;
end;

ruleset b: Ballot; v: Value do
  rule "propose" (forall w: Value do !accept[b][w] end) & Safe(b, v) ==>
  begin accept[b][v] := true; end;
end;

ruleset a: Acceptor; b: Ballot; v: Value do
  rule "on Accept" accept[b][v] & promised[a] <= b & !accepted[a][b][v] ==>
  begin
    promised[a] := b; vote_ballot[a] := b; vote_value[a] := v; accepted[a][b][v] := true;
  end;
end;

invariant "OneValuePerBallot"
  forall b: Ballot do forall v: Value do forall w: Value do
    (accept[b][v] & accept[b][w]) -> v = w
  end end end;

invariant "Agreement"
  forall v: Value do forall w: Value do (Chosen(v) & Chosen(w)) -> v = w end end;

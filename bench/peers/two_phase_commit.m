-- Two-phase commit as in specs/two_phase_commit.spec; messages stay for good.
const Managers: @ResourceManager@;
type
  Manager: scalarset(Managers);
  Phase: enum { working, prepared, committed, aborted };
var
  phase: array[Manager] of Phase;
  told: array[Manager] of boolean;   -- has sent Prepared
  heard: array[Manager] of boolean;
  decided: boolean;
  commits: boolean;
  aborts: boolean;

startstate
begin
  for r: Manager do
    phase[r] := working; told[r] := false; heard[r] := false;
  end;
  decided := false; commits := false; aborts := false;
end;

rule "decide commit" !decided & (forall r: Manager do heard[r] end) ==>
begin decided := true; commits := true; end;

rule "decide abort" !decided ==>
begin decided := true; aborts := true; end;

ruleset r: Manager do
  rule "hear" !decided & told[r] ==> begin heard[r] := true; end;
  rule "prepare" phase[r] = working ==> begin phase[r] := prepared; told[r] := true; end;
  rule "give up" phase[r] = working ==> begin phase[r] := aborted; end;
  rule "on Commit" commits ==> begin phase[r] := committed; end;
  rule "on Abort" aborts ==> begin phase[r] := aborted; end;
end;

invariant "Consistency"
  forall r: Manager do forall s: Manager do
    !(phase[r] = committed & phase[s] = aborted)
  end end;

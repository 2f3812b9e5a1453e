"""Runnable Paxos, Raft and Zab: state machines without I/O, a simulator that breaks everything around them, and a real
cluster over TCP. Nothing here imports the checker; the two meet in traces."""

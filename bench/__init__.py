"""Measurements of the native engine against other explicit-state model checkers on the same state graphs.

Run it with `python -m bench`; it is no part of the distribution. `python -m bench.runs` is about the models instead.
"""

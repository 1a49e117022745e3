"""Criteria and phases to a decision: values in, verdicts with reasons out. Opens nothing.

`load_gates` is the one function that reads a file; `evaluate` and `decide` are pure.
"""

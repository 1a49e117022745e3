"""Mutation analysis of a comparison: known faults planted in what was recorded. Pure, set-based.

Every mutant is a copy of one recorded pair with one change. What is planted does not depend on the
rules, so a rule that hides much cannot make the score look better by leaving less to be hidden.
"""

"""Copies what there is when recording begins, as a whole and resumably."""

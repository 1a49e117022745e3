"""Examines whether this machine can record and replay, and says how to mend what it cannot."""

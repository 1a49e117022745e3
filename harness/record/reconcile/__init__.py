"""Holds the journal against production; notices that production went back in time."""

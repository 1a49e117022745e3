"""The shadow harness: record production, replay it safely, compare, decide."""

__version__ = "0.1.0"

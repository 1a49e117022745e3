"""Chaos against a running recorder for as long as somebody likes; see ``docs/soak.md``."""

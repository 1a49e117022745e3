"""Reads production's tables so that no committed row is missed."""

"""Reads production's log through a replication slot, where one may be made."""

"""Tells people what has changed between two looks at a journal, once each and not too often.

`standing`, `changes`, `ledger`, `message` and `backoff` are pure; `state`, `look`, `channels` and
`notifier` are the borders to files, journal and network.
"""

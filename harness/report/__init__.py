"""The go/no-go report: an assessment as HTML, PDF, Markdown, JSON, JUnit XML, or a message.

Only `pdf` imports a driver, only `write` opens a file.
"""

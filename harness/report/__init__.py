"""The go/no-go report: an assessment as HTML, Markdown and JSON. Imports no driver."""

"""The Textual dashboard: paints assessments, decides nothing. Only `data` touches the journal."""

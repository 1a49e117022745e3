"""Ways to tell somebody something, one a module; each does one attempt and never tries again."""

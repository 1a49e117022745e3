"""What a person can do from the dashboard, beside looking."""

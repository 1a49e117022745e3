"""What the dashboard keeps of moments that it has assessed, so that they are shown at once."""

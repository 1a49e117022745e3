"""What a shadow week can show before it is run, and when to raise its traffic. Opens nothing."""

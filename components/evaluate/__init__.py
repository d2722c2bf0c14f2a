"""What a candidate is worth, and whether it may be released."""

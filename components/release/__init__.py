"""A version to customers, step by step."""

"""Somebody's own files read as canonical tables: bytes to text, headers to columns, texts to values."""

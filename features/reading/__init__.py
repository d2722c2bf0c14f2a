"""Reads user files as canonical tables: decodes bytes, maps headers to columns, parses values, selects rows."""

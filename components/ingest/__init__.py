"""Canonical tables from a source."""

"""Pipeline step: scores rows in batch."""

"""Fault handling of long-running processes: retry backoff and a disk check."""

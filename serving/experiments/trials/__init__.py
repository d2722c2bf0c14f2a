"""Experiments for people: planned before the start, assigned by hash, judged so that they may be looked at any day."""

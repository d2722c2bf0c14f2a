"""Pipeline step: metrics of a candidate, and its release gates."""

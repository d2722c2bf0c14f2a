"""Pipeline step: registers a candidate."""

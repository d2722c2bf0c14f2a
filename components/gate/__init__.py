"""Pipeline step: evaluates a trained bundle and applies its release gates."""

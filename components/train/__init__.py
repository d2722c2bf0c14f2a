"""Pipeline step: trains a model."""

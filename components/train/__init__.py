"""A model from a training frame."""

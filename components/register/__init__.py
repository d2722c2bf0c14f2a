"""A candidate into the registry."""

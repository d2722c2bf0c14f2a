"""Pipeline step: checks table contracts."""

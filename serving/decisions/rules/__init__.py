"""Guardrails and triggers, with their statistics."""

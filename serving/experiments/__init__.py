"""Offline uses of the decision engine: simulation, replay, explanation, and off-policy evaluation of challengers."""

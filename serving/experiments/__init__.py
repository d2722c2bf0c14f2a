"""Decisions made offline: simulated days, logged ones made again and explained, a challenger on what was logged."""

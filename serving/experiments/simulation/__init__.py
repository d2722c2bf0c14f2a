"""Simulated days through a real endpoint, compared with standard bidding rules."""

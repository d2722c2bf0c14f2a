"""Simulated days through the endpoint: the engine's spend, pacing, bids and value beside the usual rules'."""

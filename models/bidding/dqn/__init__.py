"""A deep Q-network that adjusts the pacing bid."""

"""A deep Q-network that turns the bid of the pacing rule up and down."""

"""Ways to bid, each in a file of its own: all are `models.bidding.environment.Policy`."""

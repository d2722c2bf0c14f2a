"""Bidding policies, one per file; all implement `models.bidding.environment.Policy`."""

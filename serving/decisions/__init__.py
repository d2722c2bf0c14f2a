"""The decision engine: bids, campaign changes and retention offers, within guardrails and with reasons."""

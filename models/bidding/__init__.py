"""Bidding: what an impression is worth paying for, when a budget has to last."""

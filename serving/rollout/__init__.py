"""Canary release: traffic split by weight, judged step by step, rolled back by itself when the canary is worse."""

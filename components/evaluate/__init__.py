"""`adloop evaluate`: a family compared with its baselines on user tables."""

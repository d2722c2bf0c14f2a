"""What to bid, and when to change a bid, budget, keyword, audience or creative: decided at once, bounded, explained."""

"""Copy for ads and e-mail from a product sheet and a brief: drafted, checked by rules and facts, ranked."""

"""API keys with scopes, accounts and families, for predictions and decisions."""

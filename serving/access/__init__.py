"""Who may ask: keys with scopes, accounts and families, the same for predictions as for decisions."""

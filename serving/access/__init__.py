"""Who may ask what, and how much: API keys with scopes, accounts and families; rate and size limits of requests."""

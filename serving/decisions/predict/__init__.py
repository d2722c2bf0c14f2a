"""Model answers for decisions: the serving versions, their features and their predictions."""

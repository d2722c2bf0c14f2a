"""Text as numbers: sentence embeddings, surface features, sentiment and emotion."""

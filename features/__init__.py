"""The lowest floor: canonical tables and their contracts, transforms, and the Feast store they feed."""

"""Examples with their features, point in time."""

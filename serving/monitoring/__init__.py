"""Has the world moved since a model was trained? Drift of what it is asked and answers, and how its answers held."""

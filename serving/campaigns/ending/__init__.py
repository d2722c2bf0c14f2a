"""The end of a campaign: what it added beyond those who never saw it, when people look, and what is kept of it."""

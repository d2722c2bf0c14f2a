"""Which channels customers' orders are credited to, and how sure that is."""

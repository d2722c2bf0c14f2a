"""State of campaigns and their money; exact with many workers, and when one is killed at any point."""

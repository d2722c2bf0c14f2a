"""What the active models say of an opportunity: which they are, what they read, how they are asked."""

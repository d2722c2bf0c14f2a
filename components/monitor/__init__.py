"""Looks at what a released model was asked and answered, and says whether the world has moved."""

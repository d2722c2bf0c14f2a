"""Tables held to their contracts."""

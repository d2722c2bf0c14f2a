"""Released versions: state that a release writes and all servers follow."""

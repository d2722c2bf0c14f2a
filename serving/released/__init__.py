"""Release state of the families, written by releases and followed by all servers."""

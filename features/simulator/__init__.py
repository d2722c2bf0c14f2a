"""An auction simulator for a machine with no bidding log, fitted to published campaign statistics."""

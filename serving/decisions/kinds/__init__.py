"""The kinds of decision, a module each."""

"""The verb check."""

"""What bounds and triggers decisions, with the statistics behind both."""

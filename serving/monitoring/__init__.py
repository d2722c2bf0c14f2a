"""Model monitoring: drift of inputs and answers, and metrics on known outcomes."""

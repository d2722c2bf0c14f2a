"""What a customer will buy next. No family: it is counted, not trained, and nothing of it is released."""

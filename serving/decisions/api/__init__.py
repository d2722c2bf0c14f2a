"""The HTTP and Kafka interface of the decision engine, with authentication and rate limits."""

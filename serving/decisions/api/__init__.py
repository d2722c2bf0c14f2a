"""The engine over HTTP and Kafka: who asks, what is asked, and how fast."""

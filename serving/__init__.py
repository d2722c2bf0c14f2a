"""What answers: model endpoints, canary rollout and monitoring."""

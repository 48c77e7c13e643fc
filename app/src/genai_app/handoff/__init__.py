"""When a person takes over, and how their desk is told: policy on words and confidence, outbox, signed webhook."""

"""What the running agent API promises to the outside: settings, endpoints, metric names. Pydantic only, no I/O."""

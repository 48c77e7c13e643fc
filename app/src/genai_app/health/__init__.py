"""What probes and people are told about the state of this process and of what it depends on."""

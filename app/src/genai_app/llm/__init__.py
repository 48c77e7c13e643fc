"""Language models behind one protocol: any OpenAI-compatible server, or none (offline)."""

"""The knowledge base: splitting, embedding, storing and finding passages."""

"""What `genai-auto serve --embedded` runs beside the API: its own PostgreSQL and its own Valkey, in one folder."""

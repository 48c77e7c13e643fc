"""How well the service does on labelled sets that come with it: what `genai-auto evaluate` measures and prints."""

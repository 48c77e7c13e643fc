"""GenAI Auto's agent API: a multi-agent assistant for automotive customers."""

from importlib.metadata import version

__version__ = version("genai-auto-app")

"""Finds and masks personal data in text: pure functions, for logs, traces, the cache, handoffs and prompts."""

from genai_app.privacy.entities import Entity, Finding
from genai_app.privacy.masking import find, mask, mask_json

__all__ = ["Entity", "Finding", "find", "mask", "mask_json"]

"""Conversations: one turn, its events, and what is kept of it."""

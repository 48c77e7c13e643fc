"""The one door to the agents: a question goes in, an answer with its sources comes out."""

from genai_app.agents.conversation import Answer, HistoryMessage, Question, Routing, Source

__all__ = ["Answer", "HistoryMessage", "Question", "Routing", "Source"]

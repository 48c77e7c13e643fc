"""Peer of P1: a graph of two ChatOpenAI calls behind FastAPI, as LangGraph's own introduction has it.

It does less than we do: no login, no limits, no cache, no retrieval, nothing stored, nothing measured.
"""

import os
from typing import TypedDict

from fastapi import FastAPI
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel


class State(TypedDict, total=False):
    """What the nodes hand on."""

    question: str
    topic: str
    answer: str


class Body(BaseModel):
    """A request."""

    message: str


model = ChatOpenAI(model="mock-model", base_url=os.environ["MODEL_URL"], api_key=lambda: "none", max_retries=2)


async def classify(state: State) -> State:
    """Which topic it is."""
    task = SystemMessage("Reply with one word: specs, maintenance or troubleshoot.")
    reply = await model.ainvoke([task, HumanMessage(state["question"])])
    return {"topic": str(reply.text)}


async def respond(state: State) -> State:
    """The answer."""
    task = SystemMessage(f"You are a car maker's assistant for the topic {state['topic']}.")
    reply = await model.ainvoke([task, HumanMessage(state["question"])])
    return {"answer": str(reply.text)}


builder = StateGraph(State)
builder.add_node("classify", classify)
builder.add_node("respond", respond)
builder.add_edge(START, "classify")
builder.add_edge("classify", "respond")
builder.add_edge("respond", END)
graph = builder.compile()

app = FastAPI()


@app.get("/ready")
async def ready() -> dict[str, bool]:
    """For whoever waits."""
    return {"ready": True}


@app.post("/chat")
async def chat(body: Body) -> dict[str, str]:
    """One question."""
    state = await graph.ainvoke({"question": body.message})
    return {"answer": state["answer"], "topic": state["topic"]}

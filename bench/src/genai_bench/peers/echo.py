"""Peer of P6: FastAPI's own WebSocket example, behind uvicorn as it comes."""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()


@app.get("/ready")
async def ready() -> dict[str, bool]:
    """For whoever waits."""
    return {"ready": True}


@app.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    """Say what is said."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return

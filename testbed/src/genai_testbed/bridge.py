"""The way from the machine's loopback to the API server: started inside the node, listening outside of it.

A socket belongs to the network in which it was made. Whoever starts this gives it, as standard input, a socket that
listens on the machine's 127.0.0.1; what this dials itself is in the network of the node.
"""

import asyncio
import socket
import sys
from contextlib import suppress

CHUNK = 65536


async def serve(listener: socket.socket, port: int) -> None:
    """Connect each client of `listener` with 127.0.0.1:`port`, for ever."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:  # the API server is down: clients see a closed connection, as they would without us
            writer.close()
            return
        await asyncio.gather(relay(reader, there_writer), relay(there_reader, writer))

    server = await asyncio.start_server(connect, sock=listener)
    await server.serve_forever()


async def relay(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy until the source ends or either side breaks; then close the target."""
    with suppress(OSError):
        while data := await source.read(CHUNK):
            target.write(data)
            await target.drain()
    target.close()


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=0), int(sys.argv[1])))

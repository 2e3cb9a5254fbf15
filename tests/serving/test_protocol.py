"""How a connection is set up, on a real socket."""

import asyncio
import socket
import threading

from starlette.applications import Starlette
from uvicorn.server import ServerState

from img2img.serving.protocol import BoundedProtocol, ServeConfig


async def nodelay_of_a_connection(listener: socket.socket) -> int:
    """What the server's side of a new connection says of TCP_NODELAY."""
    config = ServeConfig(Starlette(), patience=30, closing=threading.Event())
    config.load()
    made: list[BoundedProtocol] = []

    def protocol() -> BoundedProtocol:
        made.append(BoundedProtocol(config, ServerState(), {}))
        return made[-1]

    async with await asyncio.get_running_loop().create_server(protocol, sock=listener) as server:
        _, writer = await asyncio.open_connection(*listener.getsockname())
        while not (made and made[0].transport):
            await asyncio.sleep(0.01)
        option: int = made[0].transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        made[0].transport.close()
        server.close()
    return option


def test_no_answer_waits_for_the_receipt_of_its_head() -> None:
    """Head and body are two packets: with Nagle's algorithm the second waits 40 ms for a delayed acknowledgement."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert asyncio.run(nodelay_of_a_connection(listener)) != 0

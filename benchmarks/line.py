"""A slow line between a browser and a server on this machine: so many bits a second, and so long on the way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["slow_line"]

_PIECE = 16_384  # bytes


class _Lane:
    """One direction of the line, shared by all connections."""

    def __init__(self, rate: float, delay: float) -> None:
        self.rate, self.delay, self.free = rate, delay, 0.0

    def due(self, size: int) -> float:
        """When so many bytes, sent now, are at the other end."""
        self.free = max(self.free, time.monotonic()) + size / self.rate
        return self.free + self.delay


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, lane: _Lane) -> None:
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(
        64
    )  # a full one lets the sender wait, as a line does

    async def deliver() -> None:
        while True:
            due, piece = await queue.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not piece:
                break
            target.write(piece)
            await target.drain()
        target.close()

    delivering = asyncio.ensure_future(deliver())
    with suppress(ConnectionError):
        while piece := await source.read(_PIECE):
            await queue.put((lane.due(len(piece)), piece))
    await queue.put((0.0, b""))
    with suppress(ConnectionError):
        await delivering


@contextmanager
def slow_line(port: int, *, megabits: float = 20.0, milliseconds: float = 100.0) -> Iterator[int]:
    """Give the number of a port on this machine behind which `port` is, at the end of a slow line.

    Parameters
    ----------
    port
        Of the server.
    megabits
        A second, in each direction.
    milliseconds
        From one end to the other and back.
    """
    lanes = [_Lane(megabits * 1e6 / 8, milliseconds / 2000) for _ in range(2)]
    ready = threading.Event()
    found: dict[str, Any] = {}

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(_carry(reader, back, lanes[0]), _carry(there, writer, lanes[1]))

    async def serve() -> None:
        found["loop"], found["over"] = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(meet, "127.0.0.1", 0) as server:
            found["port"] = server.sockets[0].getsockname()[1]
            ready.set()
            await found["over"].wait()
            server.close()  # asyncio.run ends what still runs

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield int(found["port"])
    finally:
        found["loop"].call_soon_threadsafe(found["over"].set)
        thread.join(5)

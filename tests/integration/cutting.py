"""A way to PostgreSQL that is cut in the middle: what a crash of either side looks like to the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Cutter:
    """Passes messages on until it is told to cut: all connections end at once, and new ones are passed again.

    ``cut_after`` counts the client's messages from now on; the last of them reaches the server when ``delivers``, and
    its answer never reaches the client.
    """

    target: str
    cut_after: int | None = None
    delivers: bool = False
    cuts: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])

    def arm(self, cut_after: int, *, delivers: bool) -> None:
        """Cut at the client's so manieth message."""
        self.cut_after, self.delivers = cut_after, delivers

    def disarm(self) -> None:
        """Cut no more."""
        self.cut_after = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        server_reader, server_writer = await asyncio.open_unix_connection(self.target)
        self._writers |= {writer, server_writer}
        try:
            await asyncio.gather(self._up(reader, server_writer), self._down(server_reader, writer))
        finally:
            for one in (writer, server_writer):
                self._writers.discard(one)
                one.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, OSError):
            while data := await reader.read(1 << 20):
                if self.cut_after is not None:
                    self.cut_after -= 1
                    if self.cut_after <= 0:
                        await self._cut(writer, data)
                        return
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _cut(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        self.cut_after = None
        self.cuts += 1
        if self.delivers:
            writer.write(data)
            await writer.drain()
        for one in list(self._writers):
            # The server gets what was sent before it learns of the end; the client gets nothing more.
            if one is writer and self.delivers:
                one.write_eof()
            else:
                one.transport.abort()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, OSError):
            while data := await reader.read(1 << 20):
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def cutting(connect: Mapping[str, Any], folder: Path) -> AsyncGenerator[tuple[Cutter, Mapping[str, Any]], None]:
    """Give a cutter before the server at ``connect``, and arguments of ``asyncpg.connect`` that lead through it."""
    name = f".s.PGSQL.{connect['port']}"
    cutter = Cutter(str(Path(connect["host"]) / name))
    listener = await asyncio.start_unix_server(cutter.serve, str(folder / name))
    try:
        yield cutter, {**connect, "host": str(folder)}
    finally:
        listener.close()

"""Serving over stdin and stdout, so that a signal ends it as cleanly as the end of stdin does."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

from mcp.server import MCPServer

from .mending import mend

_CHUNK = 1 << 16
_PATIENCE_SECONDS = 1.0


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call ``stop`` on SIGINT and SIGTERM instead of dying."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no signal handlers on its event loop.
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)


class _Relay:
    """Carries lines from the real stdin to a pipe that can be closed at any time.

    The SDK reads stdin in a thread that cannot be interrupted; of a pipe, the end comes when we say so.
    """

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._writing = threading.Lock()
        self._closed = False
        # A daemon, and without buffered files: it may be blocked in a read when the interpreter goes.
        threading.Thread(target=self._carry, name="palimpsest-stdin", daemon=True).start()

    def stop(self) -> None:
        """End what the reader sees."""
        if self._writing.acquire(timeout=_PATIENCE_SECONDS):
            try:
                self._close()
            finally:
                self._writing.release()

    def _carry(self) -> None:
        line = bytearray()
        try:
            while chunk := os.read(self._source, _CHUNK):
                *ends, rest = chunk.split(b"\n")
                for end in ends:
                    self._write(mend(bytes(line + end)) + b"\n")
                    line.clear()
                line += rest
            if line:
                self._write(mend(bytes(line)) + b"\n")
        except OSError:
            # The reader is gone, or stdin is: either way there is nothing more to carry.
            pass
        finally:
            self.stop()

    def _write(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            with self._writing:
                if self._closed:
                    raise BrokenPipeError
                view = view[os.write(self._sink, view[:_CHUNK]) :]

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._sink)


@contextmanager
def _relayed_stdin() -> Generator[_Relay, None, None]:
    source = os.dup(0)
    reader, sink = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    # Children that inherit descriptor 0 must not read the protocol.
    os.dup2(nothing, 0)
    os.close(nothing)
    before = sys.stdin
    sys.stdin = os.fdopen(reader, encoding="utf-8", errors="replace")
    relay = _Relay(source, sink)
    try:
        yield relay
    finally:
        relay.stop()
        sys.stdin.close()
        sys.stdin = before
        os.dup2(source, 0)


async def serve_stdio(server: MCPServer[Any]) -> None:
    """Serve until stdin ends or a signal comes."""
    with _relayed_stdin() as relay:
        stop_on_signals(relay.stop)
        await server.run_stdio_async()

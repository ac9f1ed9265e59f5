"""A real HTTP server on the loopback interface, for endpoints that behave as a test wants."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], released: threading.Event) -> Generator[str]:
    """Run a server of ``handler`` and yield its address; setting ``released`` at the end lets hanging answers end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        released.set()
        server.shutdown()
        thread.join(10)
        server.server_close()

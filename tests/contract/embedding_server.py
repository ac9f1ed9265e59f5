"""A real HTTP server on the loopback interface that speaks OpenAI's embeddings API, and misbehaves when told to."""

import hashlib
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from .loopback import listening

DIMENSIONS = 16


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Return a vector that depends on nothing but the text; not of unit length."""
    digest = hashlib.shake_128(text.encode()).digest(dimensions)
    return [byte - 127.5 for byte in digest]


@dataclass(slots=True)
class Script:
    """What the server does, one entry a request (the last one again and again), and what it was asked."""

    answers: list[str | int] = field(default_factory=lambda: list[str | int](["good"]))
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str] = field(default_factory=list[str])
    asked: threading.Event = field(default_factory=threading.Event)
    """Set when a request came."""
    released: threading.Event = field(default_factory=threading.Event)
    """Set when the test is over, so that a hanging answer ends."""

    def next_answer(self) -> str | int:
        """Return what to do now."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def embeddings(texts: list[str], how: str, dimensions: int) -> object:
    """Return the body of an answer, right or wrong in the way asked for."""
    entries = [
        {"object": "embedding", "index": index, "embedding": vector_of(text, dimensions)}
        for index, text in enumerate(texts)
    ]
    match how:
        case "reversed":
            entries.reverse()
        case "fewer":
            entries.pop()
        case "longer":
            entries = [entry | {"embedding": [*vector_of("x", dimensions), 1.0]} for entry in entries]
        case "zeros":
            entries = [entry | {"embedding": [0.0] * dimensions} for entry in entries]
        case "foreign":
            return {"message": "welcome"}
        case "words":
            entries = [entry | {"embedding": ["a"] * dimensions} for entry in entries]
        case _:
            pass
    return {"object": "list", "data": entries, "model": "loop", "usage": {"prompt_tokens": 1, "total_tokens": 1}}


@contextmanager
def serve(script: Script) -> Generator[str]:
    """Run the server and yield its base URL."""

    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.requests.append(request)
            script.keys.append(self.headers["Authorization"])
            how = script.next_answer()
            script.asked.set()
            if how == "hang":
                script.released.wait(20)
                self.close_connection = True
                return
            status = how if isinstance(how, int) else 200
            body: object = {"error": {"message": "no", "type": "error", "code": None}}
            if isinstance(how, str):
                body = embeddings(request["input"], how, request.get("dimensions", DIMENSIONS))
            answer = b"<html>a proxy's page</html>" if how == "html" else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if how == "html" else "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with listening(Endpoint, script.released) as address:
        yield f"{address}/v1"

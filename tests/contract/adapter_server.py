"""A loopback server that takes adapters as vLLM does, with the statuses and bodies that vLLM gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from .loopback import listening

KEY = "a-key"
BASE = "slm"


@dataclass(slots=True)
class Server:
    """What it has loaded and was asked, and how it misbehaves: the status of the next load, or of every call."""

    adapters: dict[str, str] = field(default_factory=dict[str, str])
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    load_status: int = 200
    every_status: int = 200
    listed: str | None = None
    released: threading.Event = field(default_factory=threading.Event)

    def load(self, body: dict[str, Any]) -> tuple[int, str]:
        """Load an adapter."""
        name = body["lora_name"]
        if name in self.adapters:
            return 400, _error(f"The lora adapter '{name}' has already been loaded.", 400)
        if self.load_status == 200:
            self.adapters[name] = body["lora_path"]
            return 200, f"Success: LoRA adapter '{name}' added successfully."
        return self.load_status, _error("LoRA rank 64 is greater than max_lora_rank 16.", self.load_status)

    def unload(self, body: dict[str, Any]) -> tuple[int, str]:
        """Unload an adapter."""
        if self.adapters.pop(body["lora_name"], None) is None:
            return 404, _error("The lora adapter cannot be found.", 404)
        return 200, f"Success: LoRA adapter '{body['lora_name']}' removed successfully."

    def models(self) -> tuple[int, str]:
        """List the base model and what is loaded."""
        base = {"id": BASE, "object": "model", "created": 1, "owned_by": "vllm", "root": "/models/x", "parent": None}
        loaded = [base | {"id": name, "root": path, "parent": BASE} for name, path in self.adapters.items()]
        return 200, self.listed or json.dumps({"object": "list", "data": [base, *loaded]})

    def complete(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        """Answer as the model that was asked for."""
        if body["model"] not in (BASE, *self.adapters):
            return 404, _error(f"The model `{body['model']}` does not exist.", 404)
        said = f"{body['model']} says this."
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        choice |= {"message": {"role": "assistant", "content": said}} if "chat" in path else {"text": said}
        usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
        return 200, json.dumps(
            {"id": "c", "object": "x", "created": 1, "model": body["model"], "choices": [choice], "usage": usage}
        )

    def answer(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, str]:
        """Return a status and a body."""
        self.requests.append((path, body))
        if self.every_status != 200:
            return self.every_status, _error("no", self.every_status)
        if key != f"Bearer {KEY}":
            return 401, json.dumps({"error": "Unauthorized"})
        match path:
            case "/v1/load_lora_adapter":
                return self.load(body)
            case "/v1/unload_lora_adapter":
                return self.unload(body)
            case "/v1/models":
                return self.models()
            case _:
                return self.complete(path, body)


def _error(message: str, code: int) -> str:
    return json.dumps({"error": {"message": message, "type": "BadRequestError", "param": None, "code": code}})


@contextmanager
def serve(server: Server) -> Generator[str]:
    """Run the server and give its address up to /v1."""

    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.reply({})

        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, body: dict[str, Any]) -> None:
            status, said = server.answer(self.path, self.headers.get("Authorization", ""), body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if said.startswith("{") else "text/plain")
            self.send_header("Content-Length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with listening(Endpoint, server.released) as address:
        yield f"{address}/v1"

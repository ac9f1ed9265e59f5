"""A real HTTP server on the loopback interface that speaks vLLM's wire format, and misbehaves on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from .loopback import listening
from .text_model_server import shortened

Answer = str | int
"""A status, or a word: ``good``, ``blank`` (whitespace up to the bound), ``echo``, ``loop``, ``html``, ``garbage``,
``hang``, ``drop`` (the connection ends without an answer)."""
METRICS = """# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="slm"} 2.0
vllm:num_requests_running{engine="1",model_name="slm"} 1.0
vllm:num_requests_waiting{engine="0",model_name="slm"} 4.0
vllm:kv_cache_usage_perc{engine="0",model_name="slm"} 0.25
vllm:prefix_cache_queries_total{engine="0",model_name="slm"} 200.0
vllm:prefix_cache_hits_total{engine="0",model_name="slm"} 50.0
vllm:prompt_tokens_total{engine="0",model_name="slm"} 12345.0
vllm:generation_tokens_total{engine="0",model_name="slm"} 6.7e+02
process_virtual_memory_bytes 1.0
"""


@dataclass(slots=True)
class Vllm:
    """What the server has and does, one answer a generation (the last one again and again), and what it was asked.

    ``forms`` are the ways in which it can be asked; ``adapters`` what it has loaded, by name;
    ``models`` replaces the list of both.
    """

    answers: list[Answer] = field(default_factory=lambda: list[Answer](["good"]))
    forms: tuple[str, ...] = ("completions",)
    model: str = "slm"
    key: str = "k"
    window: int = 2048
    tokenize: int = 200
    metrics: str | int = METRICS
    models: object = None
    adapters: dict[str, str] = field(default_factory=dict[str, str])
    says: Callable[[str, str], str] = shortened
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def generations(self) -> list[dict[str, Any]]:
        """Return the requests for more than a probe's one token."""
        return [body for path, body in self.asked if "completions" in path and body["max_tokens"] > 1]

    def next_answer(self) -> Answer:
        """Return what to do now."""
        with self.lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, object]:
        """Return status and body of an answer."""
        match path:
            case "/tokenize":
                count = len(body["prompt"].split()) * 2
                return self.tokenize, {"count": count, "max_model_len": self.window, "tokens": []}
            case "/v1/load_lora_adapter":
                return self.load(body["lora_name"], body["lora_path"])
            case "/v1/unload_lora_adapter":
                found = self.adapters.pop(body["lora_name"], None)
                return (200, "Success: removed") if found else (404, {"error": {"message": "not loaded"}})
            case _:
                return self.generate(path, body)

    def load(self, name: str, path: str) -> tuple[int, object]:
        """Load an adapter as vLLM does: a name once, a folder that there is, of a rank that it can hold."""
        if name in self.adapters:
            return 400, {"error": {"message": "already loaded"}}
        if "missing" in path:
            return 404, {"error": {"message": "no adapter found"}}
        if "rank" in path or "corrupt" in path:
            return 500, {"error": {"message": "cannot be loaded"}}
        self.adapters[name] = path
        return 200, f"Success: LoRA adapter '{name}' added successfully."

    def generate(self, path: str, body: dict[str, Any]) -> tuple[int, object]:
        """Answer in the form asked for, if that is one of the server's."""
        chat = path == "/v1/chat/completions"
        form = "completions" if not chat else "chat" if body["messages"][0]["role"] == "system" else "plain"
        if body["model"] != self.model and body["model"] not in self.adapters:
            return 404, {"error": {"message": "The model does not exist."}}
        if form not in self.forms:
            return 400, {"error": {"message": "no chat template"}}
        prompt = body["messages"][-1]["content"] if chat else body["prompt"]
        probed = body["max_tokens"] == 1 and isinstance(self.answers[0], str) and self.answers[0] != "hang"
        how = "good" if probed else self.next_answer()
        if isinstance(how, int):
            return how, {"error": {"message": "EngineCore encountered an issue.", "type": "Internal"}}
        system = body["messages"][0]["content"] if chat else prompt
        text = {"blank": " \n" * body["max_tokens"], "echo": prompt, "loop": "It is so. " * 90}.get(how)
        # Without an instruction of its own, the prompt begins with it.
        own = prompt if form == "chat" else prompt.partition("\n\n")[2].removesuffix("\nOutput:")
        text = self.says(system, own) if text is None else text
        reason = "length" if how == "blank" else "stop"
        said: dict[str, Any] = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        usage = {"prompt_tokens": 50, "completion_tokens": 10, "total_tokens": 60}
        choice = {"index": 0, "finish_reason": reason, "logprobs": None, **said}
        answer = {"id": "1", "object": "x", "created": 1, "model": body["model"], "choices": [choice], "usage": usage}
        return 200, how if how in {"html", "garbage", "hang", "drop"} else answer


@contextmanager
def serve(vllm: Vllm) -> Generator[str]:
    """Run the server and yield its address, without a path."""

    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: in two, the second waits for the acknowledgement of the first.
        wbufsize = -1

        def do_GET(self) -> None:
            if self.path == "/metrics":
                known = isinstance(vllm.metrics, str)
                self.reply(200 if known else int(vllm.metrics), vllm.metrics if known else {"error": {}})
                return
            if vllm.models is not None:
                self.reply(200, vllm.models)
                return
            names = [(vllm.model, None), *((name, vllm.model) for name in vllm.adapters)]
            listed = [{"id": name, "parent": parent, "max_model_len": vllm.window} for name, parent in names]
            self.reply(200, {"object": "list", "data": listed})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with vllm.lock:
                vllm.asked.append((self.path, body))
            if self.headers["Authorization"] != f"Bearer {vllm.key}":
                self.reply(401, {"error": "Unauthorized"})
                return
            self.reply(*vllm.post(self.path, body))

        def reply(self, status: int, answer: object) -> None:
            if answer in ("hang", "drop"):
                if answer == "hang":
                    vllm.released.wait(20)
                self.close_connection = True
                return
            wrong = {"html": "<html>a proxy's page</html>", "garbage": '{"choices": ['}
            text = wrong.get(answer, answer) if isinstance(answer, str) else json.dumps(answer)
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with listening(Endpoint, vllm.released) as address:
        yield address

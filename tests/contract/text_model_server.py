"""A real HTTP server on the loopback interface that speaks both providers' wire formats, and misbehaves on demand."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from .loopback import listening

Answer = str | int | tuple[int, dict[str, str]]
"""What the server does: a status, a status with headers, or a word (see ``Script``)."""
_MARKED = re.compile(r"^(=== [0-9a-f]{16} ===)\n(.*)\n\1$", re.DOTALL | re.MULTILINE)


WRONG = {"html": b"<html>a proxy's page</html>", "garbage": b'{"choices": [', "foreign": b'{"a": 1}'}
"""Bodies that are no completion."""


def shortened(system: str, prompt: str) -> str:
    """What a well-behaved model says: the first tenth of the words between the marks, or a brief and a hint."""
    marked = _MARKED.search(prompt)
    words = (marked.group(2) if marked else prompt).split()
    start = " ".join(words[: max(12, len(words) // 10)]).rstrip(".") + "."
    return f"{' '.join(words[:20])}.\nHint: {' '.join(words[:6])}." if "Hint:" in system else start


@dataclass(slots=True)
class Script:
    """What the server does, one answer a request (the last one again and again), and what it was asked.

    Words: ``good``, ``echo`` (the text itself), ``invent`` (facts that no text has), ``empty``, ``refuse``, ``length``
    (cut at the bound), ``html``, ``garbage``, ``foreign`` (JSON of something else), ``hang``, ``cut`` (the connection
    ends in the body), ``nousage``.
    """

    answers: list[Answer] = field(default_factory=lambda: list[Answer](["good"]))
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    paths: list[str] = field(default_factory=list[str])
    says: Callable[[str, str], str] = shortened
    released: threading.Event = field(default_factory=threading.Event)
    running: int = 0
    most_running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_answer(self) -> Answer:
        """Return what to do now."""
        with self.lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def spoken(request: dict[str, Any]) -> tuple[str, str]:
    """Return the instruction and the prompt of a request in either format."""
    if "system" in request:
        return request["system"], request["messages"][0]["content"]
    return request["messages"][0]["content"], request["messages"][1]["content"]


def completion(request: dict[str, Any], how: str, text: str, *, anthropic: bool) -> dict[str, Any]:
    """Return an answer's body as the provider words it."""
    if anthropic:
        stop = {"length": "max_tokens", "refuse": "refusal"}.get(how, "end_turn")
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": request["model"],
            "content": [{"type": "text", "text": text}] if text else [],
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {
                "input_tokens": 70,
                "cache_read_input_tokens": 30,
                "cache_creation_input_tokens": 0,
                "output_tokens": 20,
            },
        }
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    message: dict[str, Any] = {"role": "assistant", "content": None if how == "refuse" else text}
    if how == "refuse":
        message["refusal"] = "I cannot help with that."
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "length" if how == "length" else "stop"}],
        **({} if how == "nousage" else {"usage": usage | {"prompt_tokens_details": {"cached_tokens": 30}}}),
    }


def said(script: Script, request: dict[str, Any], how: str) -> str:
    """Return what the model says."""
    system, prompt = spoken(request)
    match how:
        case "empty" | "refuse":
            return ""
        case "echo":
            return prompt
        case "invent":
            return "It cost 987654321 dollars in /nowhere/at_all. The function make_it_up() did it in 3021."
        case "length":
            return "The first sentence is whole. The second one is cut in the mid"
        case _:
            return script.says(system, prompt)


@contextmanager
def serve(script: Script) -> Generator[str]:
    """Run the server and yield its address, without a path."""

    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: in two, the second waits for the acknowledgement of the first.
        wbufsize = -1

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with script.lock:
                script.requests.append(request)
                script.headers.append({name.lower(): value for name, value in self.headers.items()})
                script.paths.append(self.path)
                script.running += 1
                script.most_running = max(script.most_running, script.running)
            try:
                self.answer(request, script.next_answer())
            finally:
                with script.lock:
                    script.running -= 1

        def answer(self, request: dict[str, Any], how: Answer) -> None:
            if how == "hang":
                script.released.wait(20)
                self.close_connection = True
                return
            status, headers = how if isinstance(how, tuple) else (how, {}) if isinstance(how, int) else (200, {})
            anthropic = self.path.endswith("/messages")
            body = b'{"error": {"type": "error", "message": "no"}, "type": "error"}'
            if isinstance(how, str):
                text = said(script, request, how)
                body = json.dumps(completion(request, how, text, anthropic=anthropic)).encode()
                body = {
                    "html": b"<html>a proxy's page</html>",
                    "garbage": b'{"choices": [',
                    "foreign": b'{"a": 1}',
                }.get(how, body)
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if how == "html" else "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if how == "cut" else body)
            if how == "cut":
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with listening(Endpoint, script.released) as address:
        yield address

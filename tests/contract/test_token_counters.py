"""What every token counter promises; the providers are real HTTP servers on the loopback interface."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from palimpsest.core.ports import TokenCounter
from palimpsest.slm.tokens import choose_counter
from palimpsest.slm.tokens.estimate import EstimatingCounter
from palimpsest.slm.tokens.provider import ProviderCounter


class Provider(BaseHTTPRequestHandler):
    """Counts words as both providers' counting endpoints would count tokens, or fails when told to."""

    status: ClassVar[int] = 200
    seen: ClassVar[list[tuple[str, str]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body["messages"][0]["content"] if "messages" in body else body["input"]
        self.seen.append((self.path.partition("?")[0], body["model"]))
        answer = json.dumps({"object": "response.input_tokens", "input_tokens": len(text.split())}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def address() -> Iterator[str]:
    Provider.status, Provider.seen = 200, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(timeout=10)


def anthropic(address: str) -> TokenCounter:
    return choose_counter("anthropic", model="claude-x", api_key="key", base_url=address)


def openai(address: str) -> TokenCounter:
    return choose_counter("openai", model="gpt-x", api_key="key", base_url=f"{address}/v1")


def estimating(address: str) -> TokenCounter:
    return choose_counter("estimate")


MAKERS = [anthropic, openai, estimating]


@pytest.mark.parametrize("make", MAKERS)
def test_a_count_is_positive_repeatable_and_signed(make: Callable[[str], TokenCounter], address: str) -> None:
    counter = make(address)
    first = counter.count("three small words")
    assert first.tokens == 3
    assert first.counter == counter.name
    assert counter.count("three small words") == first


@pytest.mark.parametrize("make", MAKERS)
def test_the_empty_text_has_no_tokens(make: Callable[[str], TokenCounter], address: str) -> None:
    assert make(address).count("").tokens == 0
    assert Provider.seen == []


@pytest.mark.parametrize("make", MAKERS)
def test_any_text_is_accepted(make: Callable[[str], TokenCounter], address: str) -> None:
    counter = make(address)
    for text in ("\x00", "漢字", "🎉", "a\r\nb", "<|endoftext|>", "x" * 300_000):
        assert counter.count(text).tokens >= 0


@pytest.mark.parametrize(
    ("make", "request_seen"),
    [
        (anthropic, ("/v1/messages/count_tokens", "claude-x")),
        (openai, ("/v1/responses/input_tokens", "gpt-x")),
    ],
)
def test_a_provider_is_asked_once_a_text(
    make: Callable[[str], TokenCounter], request_seen: tuple[str, str], address: str
) -> None:
    counter = make(address)
    for _ in range(3):
        counter.count("the same text")
    assert Provider.seen == [request_seen]


@pytest.mark.parametrize("make", [anthropic, openai])
@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_failing_provider_leaves_an_estimate_that_says_so(
    make: Callable[[str], TokenCounter], status: int, address: str
) -> None:
    Provider.status = status
    counter = make(address)
    count = counter.count("Hello world")
    assert count.tokens == EstimatingCounter().count("Hello world").tokens
    assert count.counter == f"{EstimatingCounter().name}, as {counter.name} did not answer"


@pytest.mark.parametrize("make", [anthropic, openai])
def test_a_provider_that_cannot_be_reached_leaves_an_estimate(make: Callable[[str], TokenCounter]) -> None:
    assert "did not answer" in make("http://127.0.0.1:9").count("Hello world").counter


def test_a_silent_provider_is_left_alone_for_a_minute_but_known_counts_stay() -> None:
    answers = iter([7, None, 9])
    asked: list[str] = []
    time = [0.0]

    def ask(text: str) -> int | None:
        asked.append(text)
        return next(answers)

    counter = ProviderCounter("provider", ask, fallback=EstimatingCounter(), seconds=lambda: time[0])
    assert counter.count("a").tokens == 7
    assert "did not answer" in counter.count("b").counter
    assert "did not answer" in counter.count("c").counter
    assert counter.count("a").counter == "provider"
    time[0] = 61
    assert counter.count("c").tokens == 9
    assert asked == ["a", "b", "c"]


def test_a_provider_counter_forgets_the_oldest_of_many_texts() -> None:
    asked: list[str] = []

    def ask(text: str) -> int:
        asked.append(text)
        return 1

    counter = ProviderCounter("provider", ask, fallback=EstimatingCounter())
    for number in range(1100):
        counter.count(str(number))
    counter.count("1099")
    counter.count("0")
    assert asked[1100:] == ["0"]

"""The OpenAI-compatible embedder against a real server: what it sends, and what it says when the answer is bad."""

import asyncio
import socket
import sys
from collections.abc import Iterator

import pytest

from palimpsest.core.errors import EmbedderError
from palimpsest.slm.embeddings.openai_endpoint import OPENAI_URL, OpenAICompatibleEmbedder

from .embedding_server import DIMENSIONS, Script, serve, vector_of


@pytest.fixture
def script() -> Script:
    """What the server does."""
    return Script()


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    """The running server's address."""
    with serve(script) as address:
        yield address


def build(
    url: str, *, timeout_seconds: float = 20, max_retries: int = 0, shorten: bool = False
) -> OpenAICompatibleEmbedder:
    """An embedder for the server."""
    return OpenAICompatibleEmbedder(
        base_url=url,
        api_key="secret-key",
        model="loop",
        dimensions=DIMENSIONS,
        timeout_seconds=timeout_seconds,
        max_retries=max_retries,
        shorten=shorten,
    )


async def refusal(embedder: OpenAICompatibleEmbedder, texts: list[str] | None = None) -> EmbedderError:
    """The error that embedding ends in."""
    with pytest.raises(EmbedderError) as caught:
        await embedder.embed(texts or ["one", "two"])
    await embedder.aclose()
    return caught.value


async def test_texts_go_out_in_batches_with_model_and_key(script: Script, url: str) -> None:
    embedder = build(url)
    texts = [f"text {number}" for number in range(130)]
    vectors = await embedder.embed(texts)
    assert [len(request["input"]) for request in script.requests] == [64, 64, 2]
    assert {request["model"] for request in script.requests} == {"loop"}
    assert {request["encoding_format"] for request in script.requests} == {"float"}
    assert all("dimensions" not in request for request in script.requests)
    assert set(script.keys) == {"Bearer secret-key"}
    assert vectors[129][0] * vector_of("text 129")[0] > 0
    await embedder.aclose()


async def test_vectors_are_sorted_by_index(script: Script, url: str) -> None:
    embedder = build(url)
    straight = await embedder.embed(["a", "b", "c"])
    script.answers = ["reversed"]
    assert await embedder.embed(["a", "b", "c"]) == straight
    await embedder.aclose()


async def test_a_shorter_length_is_asked_for_only_on_request(script: Script, url: str) -> None:
    embedder = build(url, shorten=True)
    await embedder.embed(["a"])
    assert script.requests[0]["dimensions"] == DIMENSIONS
    await embedder.aclose()


async def test_empty_and_overlong_texts_are_made_acceptable(script: Script, url: str) -> None:
    embedder = build(url)
    assert len(await embedder.embed(["", "a" * 50_000, "half \ud83d"])) == 3
    empty, long, half = script.requests[0]["input"]
    assert (empty, len(long), half) == (" ", 8_000, "half ?")
    await embedder.aclose()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (401, "refused the key"),
        (404, "knows no model 'loop'"),
        (429, "too many requests"),
        (500, "failed with status 500"),
        (400, "failed with status 400"),
        ("fewer", "returned 1 vectors for 2 texts"),
        ("longer", f"PALIMPSEST_EMBEDDING_DIMENSIONS={DIMENSIONS + 1}"),
        ("zeros", "without a direction"),
        ("foreign", "no list of embeddings"),
        ("words", "no list of embeddings"),
        ("html", "no list of embeddings"),
    ],
)
async def test_a_bad_answer_becomes_one_sentence(script: Script, url: str, answer: str | int, words: str) -> None:
    script.answers = [answer]
    error = await refusal(build(url))
    assert words in str(error)
    assert "secret-key" not in str(error)
    assert "\n" not in str(error)
    assert len(script.requests) == 1


async def test_an_sdk_error_is_kept_as_the_cause(script: Script, url: str) -> None:
    script.answers = [401]
    assert type((await refusal(build(url))).__cause__).__name__ == "AuthenticationError"


async def test_a_hanging_endpoint_times_out(script: Script, url: str) -> None:
    script.answers = ["hang"]
    error = await refusal(build(url, timeout_seconds=0.2))
    assert "did not answer within 0.2 s" in str(error)


async def test_a_failure_that_passes_is_retried(script: Script, url: str) -> None:
    script.answers = [500, "good"]
    embedder = build(url, max_retries=1)
    assert len(await embedder.embed(["a"])) == 1
    assert len(script.requests) == 2
    await embedder.aclose()


async def test_an_endpoint_that_is_not_there_is_said_to_be_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = await refusal(build(f"http://127.0.0.1:{port}/v1"))
    assert f"http://127.0.0.1:{port}/v1 cannot be reached" in str(error)


async def test_a_cancelled_call_leaves_the_embedder_usable(script: Script, url: str) -> None:
    script.answers = ["hang", "good"]
    embedder = build(url)
    call = asyncio.create_task(embedder.embed(["a"]))
    assert await asyncio.to_thread(script.asked.wait, 20)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert len(await embedder.embed(["a"])) == 1
    await embedder.aclose()


def test_without_an_address_it_is_openais() -> None:
    embedder = OpenAICompatibleEmbedder(base_url=None, api_key="k", model="text-embedding-3-small", dimensions=1536)
    assert embedder.model_id == "openai/text-embedding-3-small/1536"
    assert OPENAI_URL.startswith("https://api.openai.com/")


async def test_nothing_is_imported_before_the_first_use() -> None:
    code = (
        "import sys; from palimpsest.slm.embeddings.openai_endpoint import OpenAICompatibleEmbedder as E; "
        "E(base_url=None, api_key='k', model='m', dimensions=1); "
        "from palimpsest.slm.embeddings.minilm import MiniLMEmbedder as M; M(); "
        "print([name for name in ('openai', 'onnxruntime', 'tokenizers', 'numpy') if name in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert output.decode().strip() == "[]"

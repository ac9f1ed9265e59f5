"""Both clients of language models against a real server: what they send, and what they say of bad answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import pytest

from palimpsest.core.errors import TextModelError, TextModelUnavailableError, UnknownTextModelError, UnusableAnswerError
from palimpsest.core.ports import TextModel
from palimpsest.slm.language.anthropic_messages import AnthropicMessages
from palimpsest.slm.language.endpoint import retry_after
from palimpsest.slm.language.openai_chat import OpenAIChat

from .text_model_server import Answer, Script, serve

KEY = "sk-a-secret-that-nobody-may-see"
Build = Callable[..., TextModel]


@pytest.fixture
def script() -> Script:
    """What the server does."""
    return Script()


@pytest.fixture
def address(script: Script) -> Iterator[str]:
    """The running server."""
    with serve(script) as found:
        yield found


@pytest.fixture(params=["openai", "anthropic"])
def provider(request: pytest.FixtureRequest) -> str:
    """Whose wire format it is."""
    return str(request.param)


@pytest.fixture
def build(provider: str, address: str) -> Build:
    """How to make a client of the server."""

    def make(timeout_seconds: float = 20.0) -> TextModel:
        if provider == "openai":
            return OpenAIChat(
                model="loop", window=4096, api_key=KEY, base_url=f"{address}/v1", timeout_seconds=timeout_seconds
            )
        return AnthropicMessages(
            model="loop", window=4096, api_key=KEY, base_url=address, timeout_seconds=timeout_seconds
        )

    return make


async def test_a_call_goes_out_as_the_provider_wants_it(script: Script, build: Build, provider: str) -> None:
    model = build()
    answer = await model.complete("Be short.", "A text of a few words.", max_tokens=64)
    await model.aclose()
    (request,) = script.requests
    (headers,) = script.headers
    assert (request["model"], request["max_tokens"]) == ("loop", 64)
    assert headers["authorization"] == f"Bearer {KEY}"
    if provider == "openai":
        assert script.paths == ["/v1/chat/completions"]
        assert request["messages"] == [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "A text of a few words."},
        ]
        assert set(request) == {"model", "messages", "max_tokens"}, "compatible servers refuse fields they do not know"
    else:
        assert script.paths == ["/v1/messages"]
        assert "anthropic-version" in headers
        assert request["system"] == "Be short."
        assert request["messages"] == [{"role": "user", "content": "A text of a few words."}]
    assert answer.text == "A text of a few words."
    assert answer.finished
    usage = answer.usage
    assert (usage.model, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == ("loop", 100, 30, 20)
    assert (model.name, model.window) == ("loop", 4096)


async def test_openais_own_endpoint_gets_the_bound_under_its_newer_name() -> None:
    model = OpenAIChat(model="gpt-x", window=4096, api_key=KEY)
    assert model.bound == "max_completion_tokens"


async def test_no_sdk_is_imported_before_the_first_call(build: Build, provider: str) -> None:
    before = set(sys.modules)
    build()
    assert not {name for name in set(sys.modules) - before if name.startswith(provider)}


async def test_an_answer_cut_at_the_bound_says_so(script: Script, build: Build) -> None:
    script.answers = ["length"]
    model = build()
    assert not (await model.complete("s", "p", max_tokens=5)).finished
    await model.aclose()


async def test_a_server_that_does_not_count_is_charged_by_bytes(script: Script, address: str) -> None:
    script.answers = ["nousage"]
    model = OpenAIChat(model="loop", window=4096, api_key=KEY, base_url=f"{address}/v1")
    usage = (await model.complete("s" * 40, "p " * 180, max_tokens=5)).usage
    assert (usage.prompt_tokens, usage.cached_tokens) == (101, 0)
    assert usage.completion_tokens > 1
    await model.aclose()


CASES: dict[str, tuple[Answer, type[TextModelError], str]] = {
    "wrong key": (401, TextModelError, "refused the key (401); set PALIMPSEST_SUMMARIZER_API_KEY"),
    "forbidden": (403, TextModelError, "refused the key (403)"),
    "no such model": (404, UnknownTextModelError, "knows no such model"),
    "too long": (400, TextModelError, "refused the request (400)"),
    "too large": (413, TextModelError, "refused the request (413)"),
    "too many": (429, TextModelUnavailableError, "busy or failing (429)"),
    "failing": (500, TextModelUnavailableError, "busy or failing (500)"),
    "overloaded": (529, TextModelUnavailableError, "busy or failing (529)"),
    "cut": ("cut", TextModelUnavailableError, "cut the connection"),
    "html": ("html", TextModelError, "no completion"),
    "garbage": ("garbage", TextModelError, "no completion"),
    "foreign": ("foreign", TextModelError, "no completion"),
    "empty": ("empty", UnusableAnswerError, "answered nothing"),
    "refused": ("refuse", UnusableAnswerError, "refused to answer"),
}


@pytest.mark.parametrize("case", list(CASES))
async def test_a_bad_answer_is_one_clear_sentence_without_the_key_or_the_text(
    script: Script, build: Build, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer, kind, words = CASES[case]
    script.answers = [answer]
    model = build()
    with caplog.at_level("DEBUG"), pytest.raises(TextModelError) as caught:
        await model.complete("the instruction", "a text with a word like xylophone", max_tokens=20)
    await model.aclose()
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert len(script.requests) == 1, "no client tries again by itself"
    assert KEY not in str(caught.value)
    assert "xylophone" not in str(caught.value)


async def test_a_hanging_endpoint_is_given_up(script: Script, build: Build) -> None:
    script.answers = ["hang"]
    model = build(timeout_seconds=0.2)
    with pytest.raises(TextModelUnavailableError, match=r"within 0\.2 s"):
        await model.complete("s", "p", max_tokens=5)
    script.released.set()
    await model.aclose()


async def test_an_endpoint_that_is_not_there_cannot_be_reached() -> None:
    model = OpenAIChat(model="loop", window=100, api_key=KEY, base_url="http://127.0.0.1:1/v1")
    with pytest.raises(TextModelUnavailableError, match="cannot be reached"):
        await model.complete("s", "p", max_tokens=5)
    await model.aclose()


async def test_the_wait_that_is_asked_for_is_told(script: Script, build: Build) -> None:
    script.answers = [(429, {"Retry-After": "17"})]
    model = build()
    with pytest.raises(TextModelUnavailableError) as caught:
        await model.complete("s", "p", max_tokens=5)
    assert caught.value.retry_after_seconds == 17
    until = datetime.now(UTC) + timedelta(seconds=100)
    script.answers = [(503, {"Retry-After": format_datetime(until, usegmt=True)})]
    with pytest.raises(TextModelUnavailableError) as caught:
        await model.complete("s", "p", max_tokens=5)
    assert caught.value.retry_after_seconds is not None
    assert 90 < caught.value.retry_after_seconds <= 100
    await model.aclose()


async def test_a_closed_client_says_so_and_may_be_closed_again(build: Build) -> None:
    model = build()
    await model.aclose()
    await model.aclose()
    with pytest.raises(TextModelError, match="closed"):
        await model.complete("s", "p", max_tokens=5)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("5", 5.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("99999999", 3600.0),
        ("soon", None),
        ("nan", None),
    ],
)
def test_a_retry_after_header_is_read_with_care(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def _broken(answer: str, system: str, prompt: str) -> str:
    return answer


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


async def test_a_schema_goes_out_as_the_provider_wants_it_and_the_answer_is_json(
    script: Script, build: Build, provider: str
) -> None:
    script.says = lambda system, prompt: '{"a": 1}'
    model = build()
    answer = await model.complete("s", "p", max_tokens=20, schema=SCHEMA)
    assert answer.text == '{"a": 1}'
    (request,) = script.requests
    if provider == "openai":
        form = request["response_format"]
        assert (form["type"], form["json_schema"]["schema"]) == ("json_schema", SCHEMA)
        assert form["json_schema"]["strict"] is True
    else:
        assert request["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    for broken in ("no JSON", '{"a": 1', "[1]", '{"a": 1} and more'):
        script.says = partial(_broken, broken)
        with pytest.raises(UnusableAnswerError, match="not answer in the form asked for"):
            await model.complete("s", "p", max_tokens=20, schema=SCHEMA)
    assert await model.count("text") is None
    await model.aclose()

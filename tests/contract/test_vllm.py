"""The client of a vLLM server against a real server: what it sends, and what it says of everything that goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from palimpsest.core.errors import (
    TextModelError,
    TextModelUnavailableError,
    UnknownTextModelError,
    UnusableAnswerError,
)
from palimpsest.slm.language.asking import Asker, asked_by
from palimpsest.slm.language.endpoint import Endpoint
from palimpsest.slm.language.guarded import Guarded
from palimpsest.slm.language.vllm import VllmModel
from palimpsest.slm.language.vllm_admin import ServedModel, VllmAdmin

from .vllm_server import METRICS, Answer, Vllm, serve

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
INSTRUCTION = "Shorten the text that follows to a few words, and leave nothing of weight out of it."
Build = Callable[..., VllmModel]


@pytest.fixture
def vllm() -> Vllm:
    """What the server has and does."""
    return Vllm()


@pytest.fixture
def address(vllm: Vllm) -> Iterator[str]:
    """The running server."""
    with serve(vllm) as found:
        yield found


@pytest.fixture
async def closing() -> AsyncIterator[list[Endpoint]]:
    """What is closed at the end."""
    found: list[Endpoint] = []
    yield found
    for one in found:
        await one.aclose()


@pytest.fixture
def build(address: str, closing: list[Endpoint]) -> Build:
    """How to make a client of the server."""

    def make(**given: object) -> VllmModel:
        base = {"model": "slm", "window": 4096, "api_key": "k", "base_url": f"{address}/v1", "timeout_seconds": 20.0}
        made = VllmModel(**(base | given))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        closing.append(made)
        return made

    return make


@pytest.fixture
def admin(address: str, closing: list[Endpoint]) -> VllmAdmin:
    """The server as those see it who run it."""
    made = VllmAdmin(model="slm", window=2048, api_key="k", base_url=f"{address}/v1")
    closing.append(made)
    return made


@pytest.mark.parametrize(
    ("forms", "style", "tried"), [(("chat", "plain"), "chat", 1), (("plain",), "plain", 2), (("completions",), None, 3)]
)
async def test_the_server_is_asked_once_how_its_model_is_asked(
    vllm: Vllm, build: Build, forms: tuple[str, ...], style: str | None, tried: int
) -> None:
    vllm.forms = forms
    model = build()
    await model.complete(INSTRUCTION, "A text of words.", max_tokens=64)
    await model.complete(INSTRUCTION, "Another text.", max_tokens=64)
    assert await model.style() == (style or "completions")
    assert [body["max_tokens"] for _, body in vllm.asked] == [1] * tried + [64, 64]
    assert all(body["temperature"] == 0 for _, body in vllm.asked)


async def test_a_model_without_a_chat_template_is_asked_in_phis_own_form(vllm: Vllm, build: Build) -> None:
    answer = await build().complete(INSTRUCTION, "A text of words.", max_tokens=64)
    (sent,) = vllm.generations()
    assert sent["prompt"] == f"Instruct: {INSTRUCTION}\n\nA text of words.\nOutput:"
    assert sent["stop"] == ["\nInstruct:", "\nOutput:"]
    assert answer.finished
    assert (answer.usage.model, answer.usage.prompt_tokens, answer.usage.completion_tokens) == ("slm", 50, 10)


async def test_a_schema_goes_out_as_vllm_wants_it_in_each_form(vllm: Vllm, build: Build) -> None:
    vllm.says = lambda system, prompt: '{"a": 1}'
    assert (await build().complete("s", "p", max_tokens=9, schema=SCHEMA)).text == '{"a": 1}'
    vllm.forms = ("chat",)
    assert (await build(style="chat").complete("s", "p", max_tokens=9, schema=SCHEMA)).text == '{"a": 1}'
    plain, chat = vllm.generations()
    assert plain["structured_outputs"] == {"json": SCHEMA}
    assert chat["response_format"]["json_schema"]["schema"] == SCHEMA


async def test_the_models_own_tokenizer_counts_and_tells_the_window(vllm: Vllm, build: Build) -> None:
    model = build()
    assert await model.count("three words here") == 6
    assert model.window == 2048, "the server's is smaller than the one that was set"
    vllm.tokenize = 404
    assert await model.count("three words here") is None
    asked = len(vllm.asked)
    assert await model.count("three words here") is None
    assert len(vllm.asked) == asked, "a server without a tokenizer is not asked again"
    other = build()
    vllm.tokenize = 503
    assert await other.count("three words here") is None
    vllm.tokenize = 200
    assert await other.count("three words here") == 6, "one that was busy is"
    assert await build(base_url="http://127.0.0.1:1/v1").count("three words here") is None


CASES: dict[str, tuple[Answer, type[TextModelError], str]] = {
    "too long": (400, UnusableAnswerError, "longer than the window of 4,096 tokens"),
    "starting": (503, TextModelUnavailableError, "busy or failing (503)"),
    "engine dead": (500, TextModelUnavailableError, "busy or failing (500)"),
    "gone in the middle": ("drop", TextModelUnavailableError, "cut the connection"),
    "endless whitespace": ("blank", UnusableAnswerError, "answered nothing"),
    "echo": ("echo", UnusableAnswerError, "repeats what it was told"),
    "loop": ("loop", UnusableAnswerError, "the same over and over"),
    "a page": ("html", TextModelError, "no completion"),
    "garbage": ("garbage", TextModelError, "no completion"),
}


@pytest.mark.parametrize("case", list(CASES))
async def test_a_bad_answer_is_one_clear_sentence_without_the_text(vllm: Vllm, build: Build, case: str) -> None:
    answer, kind, words = CASES[case]
    vllm.answers = [answer]
    model = build(style="completions")
    with pytest.raises(TextModelError) as caught:
        await model.complete(INSTRUCTION, "a text with a word like xylophone " * 4, max_tokens=20)
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert "xylophone" not in str(caught.value)


@pytest.mark.parametrize("answer", ["blank", "good"])
async def test_an_answer_that_breaks_its_schema_is_of_no_use(vllm: Vllm, build: Build, answer: str) -> None:
    vllm.answers = [answer]
    with pytest.raises(UnusableAnswerError):
        await build().complete("s", "p", max_tokens=9, schema=SCHEMA)


async def test_a_wrong_key_names_its_setting_and_a_wrong_model_is_unknown(vllm: Vllm, build: Build) -> None:
    with pytest.raises(TextModelError, match=r"refused the key \(401\); set PALIMPSEST_SLM_API_KEY"):
        await build(api_key="not-this-one").complete("s", "p", max_tokens=5)
    with pytest.raises(UnknownTextModelError):
        await build(model="other").complete("s", "p", max_tokens=5)


async def test_a_slow_server_is_given_up(vllm: Vllm, build: Build) -> None:
    vllm.answers = ["hang"]
    with pytest.raises(TextModelUnavailableError, match=r"within 0\.2 s"):
        await build(timeout_seconds=0.2, style="completions").complete("s", "p", max_tokens=5)


async def test_an_absent_server_is_unavailable_and_one_that_restarted_is_asked_again(vllm: Vllm, build: Build) -> None:
    with pytest.raises(TextModelUnavailableError, match="cannot be reached"):
        await build(base_url="http://127.0.0.1:1/v1").complete("s", "p", max_tokens=5)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    vllm.answers = [503, "drop", "good"]
    answer = await Guarded(build(), sleep=sleep).complete("s", "Words of a text.", max_tokens=5)
    assert answer.finished
    assert len(slept) == 2


async def test_readiness_is_a_generated_token(vllm: Vllm, build: Build) -> None:
    model = build()
    assert await model.probe() == "completions"
    vllm.answers = [500]
    with pytest.raises(TextModelUnavailableError):
        await model.probe()
    with pytest.raises(TextModelUnavailableError):
        await build().probe()


@pytest.mark.parametrize(("thought", "said"), [("<think>Hm.</think>\nShort.", "Short."), ("<think>Hm, I", None)])
async def test_a_model_that_thinks_aloud_is_told_not_to_and_its_thoughts_are_left_out(
    vllm: Vllm, build: Build, thought: str, said: str | None
) -> None:
    vllm.forms = ("chat",)
    vllm.says = lambda system, prompt: thought
    model = build(style="chat")
    if said is None:
        with pytest.raises(UnusableAnswerError):
            await model.complete("s", "p", max_tokens=9)
    else:
        assert (await model.complete("s", "p", max_tokens=9)).text == said
    first, second = vllm.generations()
    assert "chat_template_kwargs" not in first
    assert second["chat_template_kwargs"] == {"enable_thinking": False}


class Choice:
    """Adapters by namespace, and what was reported missing."""

    def __init__(self, **adapters: str) -> None:
        self.adapters = adapters
        self.reported: list[tuple[str, str]] = []

    async def choose(self, namespace: str, key: str) -> str | None:
        return self.adapters.get(namespace)

    async def missing(self, namespace: str, name: str) -> None:
        self.reported.append((namespace, name))


async def test_each_namespaces_adapter_answers_and_a_missing_one_is_reported(vllm: Vllm, build: Build) -> None:
    vllm.adapters = {"slm-mine-v0002": "/adapters/slm-mine-v0002"}
    choice = Choice(mine="slm-mine-v0002", theirs="slm-theirs-v0001")
    model = build(adapters=choice)
    answered: list[str] = []
    for namespace in ("mine", "theirs", "others"):
        with asked_by(Asker(namespace, "mem_1")):
            answered.append((await model.complete("s", "Words of a text.", max_tokens=5)).usage.model)
    assert answered == ["slm-mine-v0002", "slm", "slm"]
    assert choice.reported == [("theirs", "slm-theirs-v0001")]
    assert (await model.complete("s", "Words of a text.", max_tokens=5)).usage.model == "slm"


async def test_adapters_are_loaded_listed_and_let_go(vllm: Vllm, admin: VllmAdmin) -> None:
    await admin.load_adapter("slm-mine-v0001", "/adapters/slm-mine-v0001")
    assert await admin.list_models() == (
        ServedModel("slm", None, 2048),
        ServedModel("slm-mine-v0001", "slm", 2048),
    )
    with pytest.raises(TextModelError, match="400"):
        await admin.load_adapter("slm-mine-v0001", "/adapters/slm-mine-v0001")
    with pytest.raises(UnknownTextModelError):
        await admin.load_adapter("slm-mine-v0002", "/adapters/missing")
    with pytest.raises(TextModelUnavailableError):
        await admin.load_adapter("slm-mine-v0003", "/adapters/corrupt")
    await admin.unload_adapter("slm-mine-v0001")
    with pytest.raises(UnknownTextModelError):
        await admin.unload_adapter("slm-mine-v0001")


async def test_a_list_of_models_that_is_none_is_an_error(vllm: Vllm, admin: VllmAdmin) -> None:
    vllm.models = {"object": "list"}
    with pytest.raises(TextModelError, match="no list of models"):
        await admin.list_models()


async def test_the_servers_figures_are_one_line_and_their_absence_is_no_failure(
    vllm: Vllm, admin: VllmAdmin, closing: list[Endpoint]
) -> None:
    (note,) = await admin.notes()
    assert note == (
        "Small model slm: 3 running, 4 waiting; cache 25% used, 25% prefix hits; "
        "12,345 tokens read and 670 written since its start."
    )
    vllm.metrics = METRICS + "vllm:num_requests_running{} +e\n"
    assert await admin.notes() == (note,), "a line that is no number is left out"
    for metrics in ("other_metric 1.0\n", 404):
        vllm.metrics = metrics
        assert await admin.notes() == ("Small model slm: its server is there.",)
    vllm.metrics = 500
    (down,) = await admin.notes()
    assert "does not answer now" in down
    absent = VllmAdmin(model="slm", window=2048, api_key="k", base_url="http://127.0.0.1:1/v1")
    closing.append(absent)
    assert "does not answer now" in (await absent.notes())[0]

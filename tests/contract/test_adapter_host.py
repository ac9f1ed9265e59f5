"""What is said to a server that takes adapters, over a real connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from palimpsest.core.errors import AdapterError, TextModelError, TextModelUnavailableError
from palimpsest.slm.learning.host import VllmHost
from palimpsest.slm.learning.wording import completed

from .adapter_server import BASE, KEY, Server, serve


@pytest.fixture
def server() -> Server:
    return Server()


@pytest_asyncio.fixture
async def host(server: Server) -> AsyncGenerator[VllmHost, None]:
    with serve(server) as address:
        opened = VllmHost(model=BASE, api_key=KEY, base_url=address, timeout_seconds=5, template=completed)
        yield opened
        await opened.aclose()


async def test_adapters_are_loaded_listed_asked_and_unloaded(server: Server, host: VllmHost) -> None:
    assert await host.loaded() == frozenset()
    await host.load("slm-a-v0001", "/adapters/slm-a-v0001")
    assert server.adapters == {"slm-a-v0001": "/adapters/slm-a-v0001"}
    assert await host.loaded() == {"slm-a-v0001"}
    assert await host.say("slm-a-v0001", "Be brief.", "A text.", max_tokens=9) == "slm-a-v0001 says this."
    path, body = server.requests[-1]
    assert path == "/v1/completions"
    assert body["prompt"] == "Instruct: Be brief.\n\nA text.\nOutput:"
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("slm-a-v0001", 9, 0)
    assert "\nInstruct:" in body["stop"]
    await host.unload("slm-a-v0001")
    await host.unload("slm-a-v0001")
    assert await host.loaded() == frozenset()
    assert [path for path, _ in server.requests].count("/v1/unload_lora_adapter") == 2


async def test_a_model_with_a_chat_form_is_asked_in_that(server: Server) -> None:
    with serve(server) as address:
        host = VllmHost(model=BASE, api_key=KEY, base_url=address, timeout_seconds=5, template=None)
        assert await host.say(BASE, "Be brief.", "A text.", max_tokens=9) == "slm says this."
        await host.aclose()
    path, body = server.requests[-1]
    assert path == "/v1/chat/completions"
    assert [turn["role"] for turn in body["messages"]] == ["system", "user"]


async def test_what_somebody_else_loaded_meanwhile_is_no_failure(server: Server, host: VllmHost) -> None:
    await host.load("a", "/a")
    await host.load("a", "/a")
    assert server.adapters == {"a": "/a"}


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "does not find a (404), or takes no adapters while it runs"),
        (400, "refused the adapter a (400)"),
        (500, "refused the adapter a (500): it is damaged, does not fit the model, or has a higher rank"),
    ],
)
async def test_an_adapter_that_the_server_refuses_is_an_error_of_the_adapter(
    server: Server, host: VllmHost, status: int, sentence: str
) -> None:
    server.load_status = status
    with pytest.raises(AdapterError) as caught:
        await host.load("a", "/a")
    assert sentence in str(caught.value)
    assert await host.loaded() == frozenset()
    assert await host.say(BASE, "", "still there?", max_tokens=5)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_server_that_is_busy_or_starting_is_unavailable(server: Server, host: VllmHost, status: int) -> None:
    server.every_status = status
    for attempt in (host.load("a", "/a"), host.loaded(), host.say("a", "", "b", max_tokens=5)):
        with pytest.raises(TextModelUnavailableError, match=str(status)):
            await attempt


async def test_a_wrong_key_is_named_by_its_setting_and_never_shown(server: Server) -> None:
    with serve(server) as address:
        host = VllmHost(model=BASE, api_key="wrong-key", base_url=address, timeout_seconds=5, template=completed)
        for attempt in (host.load("a", "/a"), host.loaded()):
            with pytest.raises(TextModelError, match="PALIMPSEST_SLM_API_KEY") as caught:
                await attempt
            assert "wrong-key" not in str(caught.value)
        await host.aclose()


async def test_a_server_that_is_not_there_is_unavailable(server: Server) -> None:
    with serve(server) as address:
        pass
    host = VllmHost(model=BASE, api_key=KEY, base_url=address, timeout_seconds=5, template=completed)
    for attempt in (host.load("a", "/a"), host.loaded(), host.say("a", "", "b", max_tokens=5)):
        with pytest.raises(TextModelUnavailableError, match="cannot be reached"):
            await attempt
    await host.aclose()


@pytest.mark.parametrize("listed", ['{"object": "list"', '{"a": 1}', "<html>a proxy's page</html>"])
async def test_a_list_that_is_none_is_an_error_in_the_cores_words(server: Server, host: VllmHost, listed: str) -> None:
    server.listed = listed
    with pytest.raises(TextModelError, match=r"no list of models|no completion"):
        await host.loaded()


async def test_an_adapter_that_is_not_loaded_cannot_be_asked(host: VllmHost) -> None:
    with pytest.raises(TextModelError, match="404"):
        await host.say("slm-a-v0009", "", "b", max_tokens=5)

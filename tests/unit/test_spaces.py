"""Which embedder searches and adds use while a memory moves from one model to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from palimpsest.core.memory import Change, Memory, NewMemory
from palimpsest.core.models import MadeVector, Space, SpaceState
from palimpsest.core.services import Ports, build_services
from palimpsest.core.spaces import HEARTBEAT_SECONDS, Spaces
from palimpsest.core.usage import UsageLog
from palimpsest.server.embedders import former_embedder
from palimpsest.server.settings import Settings
from palimpsest.slm.embeddings.minilm import DIMENSIONS as BUNDLED_DIMENSIONS
from palimpsest.slm.embeddings.minilm import MODEL_ID as BUNDLED
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder
from palimpsest.slm.embeddings.openai_endpoint import OpenAICompatibleEmbedder
from palimpsest.slm.times import EnglishTimes
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import (
    BUDGETS,
    FirstWords,
    HandClock,
    HashEmbedder,
    NoCorrections,
    ParagraphChunker,
    WordCounter,
    WordLexicon,
)
from .parts import ME

OLD = HashEmbedder("old/1", 64)
NEW = HashEmbedder("new/1", 8)
LONG = "\n\n".join(f"paragraph {place}" for place in range(12))


class Closing(HashEmbedder):
    """An embedder that says when it is closed."""

    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


def space(embedder: HashEmbedder) -> Space:
    return Space(embedder.model_id, embedder.dimensions)


def server(
    store: InMemoryStore, embedder: HashEmbedder, *able: HashEmbedder, takeover_seconds: float = 100
) -> tuple[Spaces, Memory]:
    """A server whose settings name ``embedder`` and that can run ``able`` besides."""
    known = {space(one): one for one in able}
    spaces = Spaces(
        store=store, embedder=embedder, former=known.get, takeover_seconds=takeover_seconds, look_seconds=-1
    )
    ports = Ports(
        store=store,
        embedder=embedder,
        lexicon=WordLexicon(),
        times=EnglishTimes(),
        speller=NoCorrections(),
        counter=WordCounter(),
        chunker=ParagraphChunker(),
        compressor=FirstWords(),
        clock=HandClock(),
        budgets=BUDGETS,
        usage=UsageLog(),
        spaces=spaces,
    )
    return spaces, build_services(ports).memory


@pytest.fixture
def embedders() -> tuple[HashEmbedder, HashEmbedder]:
    return HashEmbedder("old/1", 64), HashEmbedder("new/1", 8)


@pytest.fixture
async def store(embedders: tuple[HashEmbedder, HashEmbedder]) -> InMemoryStore:
    """A memory of three items under the old model."""
    store = InMemoryStore(HandClock())
    spaces, memory = server(store, embedders[0])
    await spaces.announce(ME.namespace)
    for text in ("the mill burnt down", "a letter came", "rain all day"):
        await memory.add(ME, NewMemory(text))
    return store


async def test_a_memory_that_nobody_announced_is_this_servers_own(embedders: tuple[HashEmbedder, ...]) -> None:
    spaces, memory = server(InMemoryStore(), embedders[0])
    assert await spaces.look("mine") == SpaceState(space(OLD), space(OLD))
    assert [one.model_id for one in await spaces.embedders("mine")] == ["old/1"]
    state = await memory.state(ME)
    assert (state.embedding_model, state.notes) == ("old/1", ())


async def test_while_the_memory_moves_searches_are_complete_in_the_old_space_and_say_nothing(
    store: InMemoryStore, embedders: tuple[HashEmbedder, HashEmbedder]
) -> None:
    old, new = embedders
    spaces, memory = server(store, new, old)
    await spaces.announce(ME.namespace)
    answer = await memory.search(ME, "burnt mill")
    assert answer.notes == ()
    assert answer.hits[0].passage == "the mill burnt down"
    assert all(hit.parts["meaning"] >= 0 for hit in answer.hits)
    assert new.embedded == []
    state = await memory.state(ME)
    assert state.embedding_model == "old/1"
    assert state.notes == ("Re-embedding for the model new/1: 0 of 3 passages; searches use old/1 until it is done.",)


async def test_what_is_added_meanwhile_is_found_in_the_space_that_serves_and_has_a_job_for_the_other(
    store: InMemoryStore, embedders: tuple[HashEmbedder, HashEmbedder]
) -> None:
    old, new = embedders
    spaces, memory = server(store, new, old)
    await spaces.announce(ME.namespace)
    receipt = await memory.add(ME, NewMemory("a second letter"))
    assert receipt.chunks_pending == 0
    assert (await memory.search(ME, "second letter")).hits[0].item.item_id == receipt.item.item_id
    assert new.embedded == []
    assert {one.kind: one.waiting for one in await store.job_counts(ME.namespace)}["embed"] == 1


async def test_where_the_old_model_cannot_be_run_the_new_one_is_used_as_far_as_it_reaches(
    store: InMemoryStore, embedders: tuple[HashEmbedder, HashEmbedder]
) -> None:
    _, new = embedders
    spaces, memory = server(store, new)
    await spaces.announce(ME.namespace)
    (note,) = (await memory.search(ME, "mill")).notes
    assert note.startswith("Searched by word only: The memory's vectors are of the embedding model old/1, which")
    receipt = await memory.add(ME, NewMemory("the mill stands again"))
    # Nobody that searches in the space that serves would find it by meaning.
    assert receipt.chunks_pending == 1
    spaces, memory = server(store, new)
    answer = await memory.search(ME, "mill")
    assert len(answer.hits) == 2
    (note,) = answer.notes
    assert note.endswith(
        "By meaning, 1 of 4 passages were searched, those that have vectors of new/1; the others by word only."
    )


async def test_a_failing_old_model_is_made_up_for_by_the_new_one(
    store: InMemoryStore, embedders: tuple[HashEmbedder, HashEmbedder]
) -> None:
    old, new = embedders
    spaces, memory = server(store, new, old)
    await spaces.announce(ME.namespace)
    old.failure = "The endpoint is gone."
    (note,) = (await memory.search(ME, "mill")).notes
    assert note == "Searched by word only: The endpoint is gone."
    receipt = await memory.add(ME, NewMemory("the mill stands again"))
    assert receipt.chunks_pending == 1
    assert "Not searchable by meaning yet: The endpoint is gone." in receipt.notes
    chunks = await store.bare_chunks(ME.namespace, "new/1", after=None, limit=9)
    (vector,) = await new.embed(["x"])
    await store.put_made(ME.namespace, "new/1", [MadeVector(chunks[0], vector)])
    spaces, memory = server(store, new, old)
    (note,) = (await memory.search(ME, "mill")).notes
    assert note.startswith("The endpoint is gone. By meaning, 1 of 4 passages")
    new.failure = "Broken, too."
    (note,) = (await memory.search(ME, "mill")).notes
    assert note == "Searched by word only: The endpoint is gone. Broken, too."


async def test_a_server_with_an_older_setting_goes_on_in_the_space_that_serves_or_says_why_not(
    store: InMemoryStore, embedders: tuple[HashEmbedder, HashEmbedder]
) -> None:
    old, new = embedders
    newer, _ = server(store, new, old)
    await newer.announce(ME.namespace)
    for chunk in await store.bare_chunks(ME.namespace, "new/1", after=None, limit=9):
        (vector,) = await new.embed([str(chunk.ordinal)])
        await store.put_made(ME.namespace, "new/1", [MadeVector(chunk, vector)])
    assert await store.serve_wanted(ME.namespace, "new/1")
    able, memory = server(store, old, new)
    assert await able.announce(ME.namespace) == SpaceState(space(NEW), space(NEW))
    assert (await memory.search(ME, "mill")).notes == ()
    (note,) = (await memory.state(ME)).notes
    assert note.startswith("Searches use the embedding model new/1, which another server's settings name")
    unable, memory = server(store, old)
    await unable.announce(ME.namespace)
    (note,) = (await memory.search(ME, "mill")).notes
    assert "By meaning, 3 of 3 passages were searched, those that have vectors of old/1" in note
    receipt = await memory.add(ME, NewMemory("from the older server"))
    assert receipt.chunks_pending == 1
    (note,) = receipt.notes
    assert note.startswith("Not searchable by meaning yet: The memory's vectors are of the embedding model new/1")
    assert (await memory.state(ME)).notes == (note.removeprefix("Not searchable by meaning yet: "),)
    assert await unable.embedders(ME.namespace) == []


async def test_signs_of_life_are_given_now_and_then_not_at_every_turn(
    store: InMemoryStore, embedders: tuple[HashEmbedder, HashEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = 0
    real = store.announce_model

    async def announce_model(namespace: str, one: Space, *, takeover_seconds: float) -> SpaceState:
        nonlocal said
        said += 1
        return await real(namespace, one, takeover_seconds=takeover_seconds)

    monkeypatch.setattr(store, "announce_model", announce_model)
    spaces, _ = server(store, embedders[0])
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    for _ in range(3):
        await spaces.announce(ME.namespace)
    assert said == 1
    now += HEARTBEAT_SECONDS
    await spaces.announce(ME.namespace)
    assert said == 2


async def test_what_is_known_of_the_spaces_is_kept_for_a_moment(
    store: InMemoryStore, embedders: tuple[HashEmbedder, HashEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = embedders
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    spaces = Spaces(store=store, embedder=old)
    assert not (await spaces.look(ME.namespace)).moving
    await store.announce_model(ME.namespace, space(new), takeover_seconds=0)
    assert not (await spaces.look(ME.namespace)).moving
    now += 2
    assert (await spaces.look(ME.namespace)).moving


async def test_other_spaces_embedders_are_made_once_and_closed_but_not_the_own_one() -> None:
    own, other = Closing("own/1"), Closing("other/1")
    asked: list[Space] = []

    def former(wanted: Space) -> HashEmbedder | None:
        asked.append(wanted)
        return other if wanted.model_id == "other/1" else None

    spaces = Spaces(store=InMemoryStore(), embedder=own, former=former)
    for _ in range(2):
        assert spaces.find(space(own)) is own
        assert spaces.find(space(other)) is other
        assert spaces.find(Space("gone/1", 3)) is None
    assert len(asked) == 2
    await spaces.aclose()
    await spaces.aclose()
    assert (own.closed, other.closed) == (0, 1)


async def test_editing_meanwhile_keeps_an_item_in_the_space_that_serves(
    store: InMemoryStore, embedders: tuple[HashEmbedder, HashEmbedder]
) -> None:
    old, new = embedders
    spaces, memory = server(store, new, old)
    await spaces.announce(ME.namespace)
    (hit,) = (await memory.search(ME, "rain", limit=1)).hits
    change = Change(content="snow all day", expected_sha256=hit.item.sha256)
    receipt = await memory.update(ME, hit.item.item_id, change)
    assert receipt.chunks_pending == 0
    (hit,) = (await memory.search(ME, "snow", limit=1)).hits
    assert hit.passage == "snow all day"


ENDPOINT: dict[str, Any] = {"embedding_base_url": "http://h/v1"}
MODEL: dict[str, Any] = {"embedding_model": "m", "embedding_dimensions": 8}


@pytest.mark.parametrize(
    ("settings", "wanted", "kind"),
    [
        (lambda: Settings(**MODEL, embedder="openai"), Space(BUNDLED, BUNDLED_DIMENSIONS), MiniLMEmbedder),
        (lambda: Settings(**MODEL, embedder="openai"), Space("openai/a/b/16", 16), OpenAICompatibleEmbedder),
        (lambda: Settings(**MODEL, **ENDPOINT), Space("openai/m/8", 8), OpenAICompatibleEmbedder),
        (lambda: Settings(**MODEL, openai_api_key=SecretStr("k")), Space("openai/m/8", 8), OpenAICompatibleEmbedder),
        (lambda: Settings(**MODEL), Space("openai/m/8", 8), None),
        (lambda: Settings(**ENDPOINT), Space("openai/m/8", 8), None),
        (lambda: Settings(**MODEL, **ENDPOINT), Space("openai/other/8", 8), None),
        (lambda: Settings(), Space("of nobody/8", 8), None),
    ],
)
async def test_a_former_model_is_run_where_the_settings_still_allow_it(
    settings: Callable[[], Settings], wanted: Space, kind: type | None
) -> None:
    made = former_embedder(settings(), wanted)
    if kind is None:
        assert made is None
        return
    assert made is not None
    assert isinstance(made, kind)
    assert (made.model_id, made.dimensions) == (wanted.model_id, wanted.dimensions)
    await made.aclose()


@pytest.mark.parametrize("installed", [True, False])
def test_a_former_sentence_transformers_model_is_run_where_the_package_is(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_spec(_: str) -> object | None:
        return object() if installed else None

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    wanted = Space("sentence-transformers/a/b", 12)
    made = former_embedder(Settings(), wanted)
    assert (made is not None) == installed
    if made is not None:
        assert (made.model_id, made.dimensions) == (wanted.model_id, 12)

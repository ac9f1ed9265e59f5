"""The bundled model's files when they are missing, damaged or computed wrongly, and its threads under pressure."""

import asyncio
import hashlib
import json
import logging
import shutil
import struct
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from palimpsest.core.errors import EmbedderError, ModelFileError
from palimpsest.slm.embeddings.minilm import MiniLMEmbedder
from palimpsest.slm.embeddings.minilm_model import MODEL_FOLDER, MiniLM, load_model

LOGGER = "palimpsest.slm.embeddings.minilm_model"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the model's folder, to be damaged."""
    return shutil.copytree(MODEL_FOLDER, tmp_path / "model")


@pytest_asyncio.fixture
async def embedder() -> AsyncIterator[MiniLMEmbedder]:
    """The bundled embedder."""
    bundled = MiniLMEmbedder()
    yield bundled
    await bundled.aclose()


def reseal(folder: Path) -> None:
    """Make the digests match the files again."""
    check = json.loads((folder / "selfcheck.json").read_text())
    check["sha256"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in check["sha256"]}
    (folder / "selfcheck.json").write_text(json.dumps(check))


def break_arithmetic(folder: Path) -> None:
    """Make the 8-bit graph overflow, as a processor without the right instructions would."""
    graph = (folder / "minilm.onnx").read_bytes()
    steps = struct.pack("<f", 254.98)
    assert graph.count(steps) == 1
    (folder / "minilm.onnx").write_bytes(graph.replace(steps, struct.pack("<f", 290.0)))
    reseal(folder)


FILES = ["minilm.weights", "minilm.onnx", "minilm-exact.onnx", "tokenizer.json", "selfcheck.json"]


@pytest.mark.parametrize("name", FILES)
async def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    embedder = MiniLMEmbedder(folder=folder)
    with pytest.raises(ModelFileError, match=rf"{name} cannot be read \(No such file.*reinstall palimpsest"):
        await embedder.embed(["a"])
    await embedder.aclose()


@pytest.mark.parametrize("name", FILES)
async def test_a_damaged_file_is_named(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 0x40
    (folder / name).write_bytes(content if name != "selfcheck.json" else content[:-200])
    embedder = MiniLMEmbedder(folder=folder)
    with pytest.raises(ModelFileError, match=f"{name} is damaged"):
        await embedder.load()
    await embedder.aclose()


async def test_a_mended_file_is_found_by_the_next_call(folder: Path) -> None:
    (folder / "minilm.weights").rename(folder / "elsewhere")
    embedder = MiniLMEmbedder(folder=folder)
    with pytest.raises(ModelFileError):
        await embedder.embed(["a"])
    (folder / "elsewhere").rename(folder / "minilm.weights")
    assert len(await embedder.embed(["a"])) == 1
    await embedder.aclose()


@pytest.mark.parametrize(("name", "content"), [("minilm.onnx", b"\xff"), ("tokenizer.json", b"{}")])
def test_a_file_that_the_runtime_refuses_is_named(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    reseal(folder)
    with pytest.raises(ModelFileError, match=f"{name} cannot be"):
        load_model(folder)


async def test_a_processor_that_overflows_gets_the_exact_form(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    break_arithmetic(folder)
    embedder, right = MiniLMEmbedder(folder=folder), MiniLMEmbedder()
    assert (embedder.variant, len(embedder.notes)) == (None, 0)
    with caplog.at_level(logging.WARNING, LOGGER):
        (vector,) = await embedder.embed(["where are the backups?"])
    assert embedder.variant == "exact"
    (note,) = embedder.notes
    assert "computes inexactly on this processor" in note
    assert [record.getMessage() for record in caplog.records] == [note]
    (expected,) = await right.embed(["where are the backups?"])
    assert right.variant == "fast"
    assert sum(a * b for a, b in zip(vector, expected, strict=True)) > 0.998
    assert embedder.model_id == right.model_id
    await embedder.aclose()
    await right.aclose()


def test_a_processor_that_computes_nothing_rightly_is_refused(folder: Path) -> None:
    check = json.loads((folder / "selfcheck.json").read_text())
    for entry in check["texts"]:
        entry["vector"].reverse()
    (folder / "selfcheck.json").write_text(json.dumps(check))
    with pytest.raises(EmbedderError, match=r"computes wrongly on this processor.*PALIMPSEST_EMBEDDER"):
        load_model(folder)


def test_a_runtime_that_fails_on_a_text_is_an_embedder_error() -> None:
    model = load_model()
    with pytest.raises(EmbedderError, match="failed on a text"):
        MiniLM(model.tokenizer, object(), "fast").embed("a")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_runtime_that_is_not_installed_is_an_embedder_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(EmbedderError, match="onnxruntime cannot be imported"):
        load_model()


async def test_first_calls_at_once_load_the_model_once(caplog: pytest.LogCaptureFixture) -> None:
    embedder = MiniLMEmbedder(workers=4)
    with caplog.at_level(logging.DEBUG, LOGGER):
        await asyncio.gather(embedder.load(), *(embedder.embed([f"text {number}"]) for number in range(8)))
    assert len([record for record in caplog.records if "is loaded" in record.getMessage()]) == 1
    await embedder.aclose()


async def test_a_query_does_not_wait_for_a_large_list(embedder: MiniLMEmbedder) -> None:
    await embedder.load()
    ingestion = asyncio.create_task(embedder.embed(["a paragraph of some length " * 40] * 2_000))
    await asyncio.wait_for(embedder.embed(["a query"]), 20)
    assert not ingestion.done()
    ingestion.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ingestion
    assert len(await asyncio.wait_for(embedder.embed(["still", "alive"]), 20)) == 2


async def test_closing_stops_a_list_and_frees_the_threads() -> None:
    embedder = MiniLMEmbedder()
    await embedder.load()
    ingestion = asyncio.create_task(embedder.embed(["a paragraph of some length " * 40] * 2_000))
    await embedder.embed(["a query"])
    await embedder.aclose()
    with pytest.raises(EmbedderError, match="closed"):
        await ingestion
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("palimpsest-embedder")]
    assert embedder.variant is None


async def test_one_failing_text_fails_the_call(folder: Path) -> None:
    (folder / "minilm.onnx").unlink()
    embedder = MiniLMEmbedder(folder=folder)
    with pytest.raises(ModelFileError):
        await embedder.embed(["a"] * 10)
    await embedder.aclose()


async def test_a_closed_embedder_does_not_load() -> None:
    embedder = MiniLMEmbedder()
    await embedder.aclose()
    with pytest.raises(EmbedderError, match="closed"):
        await embedder.load()

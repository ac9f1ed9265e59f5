"""Where tiktoken's vocabulary is looked for, and that nothing is downloaded when it is not there."""

import base64
import hashlib
import importlib
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import tiktoken

from palimpsest.core.errors import SettingsError
from palimpsest.slm.tokens import choose_counter
from palimpsest.slm.tokens.estimate import EstimatingCounter
from palimpsest.slm.tokens.exact import VOCABULARIES, TiktokenCounter, find_vocabulary

NAME, SHA256 = VOCABULARIES["o200k_base"]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    monkeypatch.delenv("DATA_GYM_CACHE_DIR", raising=False)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))


@pytest.fixture(scope="module")
def vocabulary() -> bytes:
    """The very file that tiktoken downloads, rebuilt from the vocabulary inside oss-harmony."""
    harmony = pytest.importorskip("openai_harmony", reason="oss-harmony, which holds o200k, is not installed")
    decode: Callable[[list[int]], bytes] = harmony.load_harmony_encoding("HarmonyGptOss")._inner.decode_bytes
    lines = (base64.b64encode(decode([rank])) + b" %d\n" % rank for rank in range(199_998))
    content = b"".join(lines)
    assert hashlib.sha256(content).hexdigest() == SHA256
    return content


def test_names_and_checksums_are_those_of_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    openai_public = importlib.import_module("tiktoken_ext.openai_public")
    seen: dict[str, tuple[str, str]] = {}

    def note(address: str, expected_hash: str) -> dict[bytes, int]:
        encoding = address.rsplit("/", 1)[1].removesuffix(".tiktoken")
        seen[encoding] = (hashlib.sha1(address.encode()).hexdigest(), expected_hash)
        return {}

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", note)
    openai_public.o200k_base()
    openai_public.cl100k_base()
    assert seen == VOCABULARIES


def test_auto_counts_exactly_once_the_file_is_there(tmp_path: Path, vocabulary: bytes) -> None:
    assert choose_counter().name.startswith("estimate")
    (tmp_path / NAME).write_bytes(vocabulary)
    counter = choose_counter("auto")
    assert counter.name == "tiktoken o200k_base"
    assert counter.count("Hello world, getUserName!").tokens == 7
    assert counter.count("<|endoftext|>").tokens > 1
    assert counter.count("").tokens == 0
    assert counter.count("x" * 250_000).counter == counter.name
    assert choose_counter("tiktoken").name == counter.name


def test_a_damaged_file_is_left_alone_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"damaged")
    assert find_vocabulary("o200k_base") is None
    assert choose_counter().name.startswith("estimate")
    assert (tmp_path / NAME).read_bytes() == b"damaged"


def test_a_file_that_vanishes_before_the_first_count_leaves_the_estimate() -> None:
    counter = TiktokenCounter(fallback=EstimatingCounter())
    assert counter.count("Hello world").counter == EstimatingCounter().name


def test_the_folder_is_found_as_tiktoken_finds_it(
    tmp_path: Path, vocabulary: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_bytes(vocabulary)
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", "/nonexistent")
    assert find_vocabulary("o200k_base") == tmp_path / NAME
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert find_vocabulary("o200k_base") is None
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    assert find_vocabulary("o200k_base") is None
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(tmp_path))
    assert find_vocabulary("o200k_base") == tmp_path / NAME
    monkeypatch.delenv("DATA_GYM_CACHE_DIR")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / "data-gym-cache").mkdir()
    (tmp_path / NAME).rename(tmp_path / "data-gym-cache" / NAME)
    assert find_vocabulary("o200k_base") == tmp_path / "data-gym-cache" / NAME


def test_an_unknown_encoding_has_no_vocabulary() -> None:
    assert find_vocabulary("gpt2") is None


@pytest.mark.parametrize(
    ("setting", "options", "word"),
    [
        ("tiktoken", {}, "TIKTOKEN_CACHE_DIR"),
        ("tiktoken", {"encoding": "gpt2"}, "o200k_base"),
        ("anthropic", {"model": "claude-x"}, "ANTHROPIC_API_KEY"),
        ("openai", {"model": "gpt-x"}, "OPENAI_API_KEY"),
        ("openai", {"api_key": "key"}, "PALIMPSEST_TOKEN_MODEL"),
        ("exact", {}, "estimate"),
    ],
)
def test_a_setting_that_cannot_be_met_says_what_to_do(setting: str, options: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        choose_counter(
            setting,
            api_key=options.get("api_key"),
            model=options.get("model"),
            encoding=options.get("encoding", "o200k_base"),
        )


def test_the_estimate_can_be_chosen(tmp_path: Path, vocabulary: bytes) -> None:
    (tmp_path / NAME).write_bytes(vocabulary)
    assert choose_counter("estimate").name.startswith("estimate")

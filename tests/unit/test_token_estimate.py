"""How near the estimate comes to o200k, on texts that it was not calibrated on."""

# ruff: noqa: RUF001 - other alphabets are the point
import importlib
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from palimpsest.slm.tokens.estimate import EstimatingCounter

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
CODE = ("asyncio", "json", "http", "email")
BOUND = 0.10


@pytest.fixture(scope="module")
def exact() -> Callable[[str], int]:
    harmony = pytest.importorskip("openai_harmony", reason="oss-harmony, which holds o200k, is not installed")
    encoding = harmony.load_harmony_encoding("HarmonyGptOss")

    def count(text: str) -> int:
        return len(encoding.encode(text, disallowed_special=()))

    return count


def code() -> list[str]:
    paths = sorted(path for package in CODE for path in (LIBRARY / package).rglob("*.py"))
    return [text for path in paths if (text := path.read_text("utf-8"))]


def prose() -> list[str]:
    topics: dict[str, str] = importlib.import_module("pydoc_data.topics").topics
    return [topics[name] for name in sorted(topics)]


def estimate(text: str) -> int:
    return EstimatingCounter().count(text).tokens


@pytest.mark.parametrize(("corpus", "texts"), [("code", code), ("prose", prose)])
def test_held_out_corpora_are_estimated_within_a_tenth(
    corpus: str, texts: Callable[[], list[str]], exact: Callable[[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [(estimate(text), exact(text)) for text in texts()]
    estimated, true = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    errors = sorted(abs(guess / count - 1) for guess, count in pairs)
    error, p95 = estimated / true - 1, errors[int(0.95 * len(errors))]
    # A process that runs a share of the tests has no standard output.
    with capsys.disabled():
        print(
            f"\ntoken estimate on {corpus}: {error:+.1%} of {true:,} tokens in {len(pairs)} texts; "
            f"a text is off by {errors[len(errors) // 2]:.1%} in the median, {p95:.1%} at the 95th percentile",
            file=sys.stderr,
        )
    assert true > 50_000
    assert abs(error) <= BOUND
    assert p95 <= 0.2


@pytest.mark.parametrize(
    "text",
    [
        "我们把所有的记忆都保存在数据库里，这样以后就可以再次找到它们。",
        "記憶はすべて失われずに保存され、あとで検索できます。",
        "Все воспоминания хранятся в базе данных, и ничего не теряется.",
        "모든 기억은 데이터베이스에 저장되며 나중에 다시 찾을 수 있습니다.",
        "Todos los recuerdos se guardan sin pérdida y se pueden buscar más tarde.",
        "सभी यादें डेटाबेस में रखी जाती हैं और बाद में मिल जाती हैं।",
        "🎉 shipped 🚀 thanks 🙏🏽 everyone ❤️ 👩‍💻",
        '{"id": 4042, "tags": ["a", "b"], "at": "2026-11-21T12:30:00Z", "ok": true}',
        "│ name ├──────────┤ size │\n└──────────────┘",
        "2026-11-21 12:30:01,123 ERROR [worker-7] timeout after 30000 ms (attempt 3/5)",
    ],
)
def test_short_texts_of_any_kind_are_estimated_within_forty_percent(text: str, exact: Callable[[str], int]) -> None:
    assert estimate(text) == pytest.approx(exact(text), rel=0.4)


def test_the_estimate_names_itself_and_needs_nothing_loaded() -> None:
    counter = EstimatingCounter()
    assert counter.name == "estimate of o200k (±10 %)"
    assert counter.count("Hello world") == type(counter.count(""))(2, counter.name)
    assert sys.modules["palimpsest.slm.tokens.estimate"].__dict__.keys().isdisjoint({"tiktoken", "openai_harmony"})


def test_empty_is_nothing_and_anything_else_is_something() -> None:
    assert estimate("") == 0
    assert all(estimate(text) >= 1 for text in (" ", "\n", "a", "\x00", "é", "漢", "🎉", "\ud800"))


def test_long_texts_cost_what_their_slices_cost() -> None:
    page = "All memories are kept, and nothing is lost.\n" * 100
    assert estimate(page * 100) == pytest.approx(100 * estimate(page), rel=0.01)


@pytest.mark.parametrize("unit", ["a", "A", " ", "_", "\n", "aB", "漢", "🎉", "'", " \n", "é", "1"])
def test_a_line_of_two_million_characters_is_counted_soon(unit: str) -> None:
    begin = time.process_time()
    assert estimate(unit * (2_000_000 // len(unit))) > 0
    assert time.process_time() - begin < 20

"""The parts of the benchmarks that compute: corpus, queries, kept vectors, right answers, tables."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from palimpsest.bench import corpus, questions, scale_search
from palimpsest.bench.bulk import THREADS, memories
from palimpsest.bench.exact import ExactVectors, recall
from palimpsest.bench.figures import at_once
from palimpsest.bench.plot import draw
from palimpsest.bench.vectors import RECORD, VectorFiles, complete
from palimpsest.slm.embeddings.minilm import DIMENSIONS

PASSAGES = [
    f"harbour {word}{number} lantern ebbing tides around quiet {word}{number} granite villages every evening twice"
    for number, word in enumerate(["alpha", "bravo", "charlie", "delta"] * 5)
]


class OneHot:
    """Gives each text another direction, and counts what it was asked for."""

    model_id = "one-hot"
    dimensions = DIMENSIONS
    leading: int | None = None

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return [[float(place == len(text) % DIMENSIONS) for place in range(DIMENSIONS)] for text in texts]

    async def aclose(self) -> None:
        pass


def test_a_text_is_cut_without_its_short_rest_and_without_what_no_text_column_takes() -> None:
    text = "a" * corpus.PASSAGE + "b\x00" * (corpus.PASSAGE // 2) + "c" * (corpus.PASSAGE - 1) + " " + "d" * 200
    assert [piece[0] for piece in corpus.cut(text)] == ["a", "c"]


def test_a_smaller_corpus_is_the_beginning_of_a_larger_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "text"
    source.write_text("".join(f"{number:04d}" * 130 for number in range(50)))
    monkeypatch.setattr(corpus, "_files", lambda: iter([source]))
    monkeypatch.setattr(corpus, "cache_folder", lambda: tmp_path / "cache")
    many = corpus.passages(40)
    assert len(set(many)) == 40
    source.write_text("changed since")
    assert corpus.passages(10) == many[:10]
    assert set(corpus.passages(20, seed=3)) < set(corpus.passages(50))


def test_queries_are_distinct_of_three_kinds_and_the_same_every_time() -> None:
    asked = questions.mixture(10, PASSAGES[:10], PASSAGES[10:])
    assert len(set(asked)) == 10
    assert Counter(len(one.split()) == 2 for one in asked)[True] == 2
    assert asked == questions.mixture(10, PASSAGES[:10], PASSAGES[10:])


def test_passages_with_too_few_words_are_asked_nothing() -> None:
    source = random.Random(1)
    assert corpus.fragment("x = 1; y = 2", source) is None
    assert questions.question("only one considerable", source) is None
    assert questions.rare_pair("harbour lantern", source, Counter(harbour=100, lantern=3)) is None


async def test_vectors_are_made_once_and_found_by_whoever_opens_the_folder_later(tmp_path: Path) -> None:
    texts = ["a", "bb", "ccc"]
    embedder = OneHot()
    files = VectorFiles(tmp_path / "cache", embedder.model_id)
    assert await complete(files, embedder, [*texts[:2], "a"]) == 2
    assert await complete(VectorFiles(tmp_path / "cache", embedder.model_id), embedder, texts) == 1
    assert embedder.asked == texts
    files.refresh()
    found, vectors = files.find([*texts, "dddd"])
    assert found.tolist() == [True, True, True, False]
    assert vectors[:3].argmax(axis=1).tolist() == [1, 2, 3]
    assert not vectors[3].any()


async def test_vectors_of_another_model_and_a_record_cut_short_are_not_found(tmp_path: Path) -> None:
    embedder = OneHot()
    await complete(VectorFiles(tmp_path, embedder.model_id), embedder, ["a", "bb"])
    (file,) = tmp_path.glob("*.vec")
    file.write_bytes(file.read_bytes()[: 2 * RECORD.itemsize - 1])
    assert VectorFiles(tmp_path, embedder.model_id).find(["a", "bb"])[0].tolist() == [True, False]
    assert VectorFiles(tmp_path, "another").find(["a"])[0].tolist() == [False]


def test_the_labels_of_a_store_leave_filters_the_shares_that_they_name() -> None:
    made = memories([str(number) for number in range(2 * THREADS)])
    assert abs(sum(one.memory_type == "document" for one in made) / len(made) - 0.5) < 0.05
    assert abs(sum("tenth" in one.tags for one in made) / len(made) - 0.1) < 0.02
    assert 0 < sum("hundredth" in one.tags for one in made) < 0.02 * len(made)
    assert sum(one.thread == "notes-0007" for one in made) == 2


def test_the_exact_answers_are_those_of_comparing_all() -> None:
    source = np.random.default_rng(1)
    vectors = source.normal(size=(50, 8)).astype(np.float16)
    exact = ExactVectors(np.arange(50, dtype=np.int64), vectors)
    query = vectors[0].astype(float).tolist()
    unit = vectors.astype(float) / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)
    cosines = unit @ unit[0]
    assert exact.thresholds([query], 3) == pytest.approx([sorted(cosines)[-3]], abs=1e-5)
    assert exact.thresholds([query], 2, {4, 5, 6}) == pytest.approx([sorted(cosines[4:7])[-2]], abs=1e-5)
    assert exact.thresholds([query], 4, {4, 5, 6}) == [-1.0]


@pytest.mark.parametrize(
    ("scores", "share"),
    [([0.9, 0.8], 1.0), ([0.9, 0.7], 0.5), ([0.9, 0.8, 0.8], 1.0), ([], 0.0)],
)
def test_recall_counts_what_is_as_good_as_the_last_of_the_best(scores: list[float], share: float) -> None:
    assert recall(scores, 0.8, 2) == share


async def test_clients_share_the_calls_among_them() -> None:
    made: list[int] = []

    async def call(run: int) -> None:
        made.append(run)

    timing, rate = await at_once(call, 10, 3)
    assert sorted(made) == list(range(10))
    assert timing.runs == 10
    assert rate > 0


def measured(items: int, factor: float) -> dict[str, object]:
    times = {"p50": 2.0 * factor, "p95": 3.0 * factor, "least": 1.0, "runs": 5}
    calls = ("memory.search", "candidates by both", "query embedding alone")
    return {
        "items": items,
        "hardware": "two cores",
        "timings": {"search": dict.fromkeys(calls, times)},
        "numbers": {"room taken, MB": {"items": 90.0, "index small": 0.5, "index large": 9.5}},
    }


def test_figures_of_all_sizes_stand_side_by_side() -> None:
    text = scale_search.markdown([measured(10, 1), measured(1000, 10)])
    assert "| memory.search | 2.00 / 3.00 / 1.00 | 20.00 / 30.00 / 1.00 |" in text
    assert "- 10 items: two cores" in text
    assert "| all | 100 | 100 |" in text
    assert "| bytes an item | 10,000,000 | 100,000 |" in text
    assert "index large" in text
    assert "index small" not in text


def test_a_plot_names_what_its_axes_count(tmp_path: Path) -> None:
    scale_search.draw(tmp_path / "plot.svg", [measured(10, 1), measured(1000, 10)])
    drawn = (tmp_path / "plot.svg").read_text()
    assert "1,000 items" in drawn
    assert "33 ms" in drawn
    draw(tmp_path / "tokens.svg", "a title", {"line": [(0, 0), (5, 1)]}, top=2, unit="%")
    assert "5 tokens in" in (tmp_path / "tokens.svg").read_text()

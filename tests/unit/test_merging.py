"""Who writes one text of several: the sentences themselves, or a model whose facts are checked."""

import json

import pytest

from palimpsest.core.consolidation import ConsolidationReport, Folded
from palimpsest.core.errors import TextModelUnavailableError, UnusableAnswerError
from palimpsest.core.merging import Making
from palimpsest.core.sameness import Judge
from palimpsest.server.commands.consolidate import show
from palimpsest.slm.commonness import is_word
from palimpsest.slm.merging.extractive import ExtractiveMerger
from palimpsest.slm.merging.model import ModelMerger

from ..consolidation_faults import DisturbedModel, Fault

TEXTS = [
    "Ann has 2 cats, Tom and Kim. They are black.",
    "Ann has two cats, Tom and Kim!",
    "Tom never sleeps in room B-12.",
]


async def test_each_sentence_is_kept_once_in_its_own_words() -> None:
    merged = await ExtractiveMerger(Judge(is_word)).merge("mine", "main", TEXTS)
    assert merged == "Ann has 2 cats, Tom and Kim. They are black. Tom never sleeps in room B-12."


async def test_a_models_text_that_names_everything_is_taken() -> None:
    text = await ModelMerger(DisturbedModel()).merge("mine", "main", TEXTS)  # type: ignore[arg-type]
    assert text == " ".join(TEXTS)


@pytest.mark.parametrize("fault", ["garbage", "schema", "empty", "endless"])
async def test_anything_else_that_a_model_answers_is_unusable(fault: Fault) -> None:
    model = DisturbedModel()
    model.fault = fault
    with pytest.raises(UnusableAnswerError):
        await ModelMerger(model).merge("mine", "main", TEXTS)  # type: ignore[arg-type]


async def test_a_model_that_is_away_says_so() -> None:
    model = DisturbedModel()
    model.fault = "timeout"
    with pytest.raises(TextModelUnavailableError):
        await ModelMerger(model).merge("mine", "main", TEXTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "Ann has 3 cats, Tom and Kim. Tom never sleeps in room B-12. They are 2.",
        "Ann has 2 cats, Tom and Kim. Tom never sleeps.",
        "Ann has 2 cats, Tom and Kim. Tom sleeps in room B-12.",
        "Ann has 2 cats and Tom. Tom never sleeps in room B-12.",
        "   ",
    ],
)
async def test_a_text_that_invents_or_forgets_a_fact_is_unusable(text: str) -> None:
    model = DisturbedModel()
    model.answer = json.dumps({"text": text})
    with pytest.raises(UnusableAnswerError):
        await ModelMerger(model).merge("mine", "main", TEXTS)  # type: ignore[arg-type]


async def test_statements_beyond_the_window_are_not_sent() -> None:
    model = DisturbedModel()
    model.window = 100
    with pytest.raises(UnusableAnswerError, match="window"):
        await ModelMerger(model).merge("mine", "main", TEXTS)  # type: ignore[arg-type]


def test_the_command_tells_what_was_done_and_what_it_saves(capsys: pytest.CaptureFixture[str]) -> None:
    report = ConsolidationReport(
        looked_at=1200,
        folded=[Folded("mem_new", ("mem_old", "mem_older"), 40)] * 25,
        merged=[Making(None, ("mem_1", "mem_2", "mem_3"), (), "sentences-1", 100, 60)],
        released=["mem_gone"],
        distilled=3,
        notes=["the model is away"],
    )
    show(report, "would be ")
    told = capsys.readouterr().out
    assert "1,200 statements looked at\n50 repeats would be folded into 25 items:\n" in told
    assert "  mem_old, mem_older -> mem_new, 40 tokens freed\n" in told
    assert "  and 5 more\n" in told
    assert "  mem_1, mem_2, mem_3 -> a new item by sentences-1, 100 to 60 tokens\n" in told
    assert "1 merged items would be let go, whose sources changed:\n  mem_gone\n" in told
    assert "3 items left to be read for facts\n" in told
    assert told.endswith("1,100 before, 60 after\nthe model is away\n")

"""Learning with nothing but real parts: a tiny model is trained by peft and trl, and served by vLLM on the CPU.

What scripts/test-slm runs. Training and serving have an environment of their own, which PALIMPSEST_TEST_SLM_PYTHON
names; without it these tests are skipped.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from palimpsest.bench.slm_lessons import to_shorten
from palimpsest.bench.slm_serving import make_tiny, serving
from palimpsest.core.clock import SystemClock
from palimpsest.core.errors import AdapterError
from palimpsest.core.learning.deployment import Deployment
from palimpsest.core.learning.gate import GateLimits
from palimpsest.core.learning.gathering import Gathering
from palimpsest.core.models import Route
from palimpsest.slm.learning.files import CONFIG, AdapterFolder
from palimpsest.slm.learning.host import VllmHost
from palimpsest.slm.learning.process import TrainerProcess
from palimpsest.slm.learning.training import Training, TrainingOptions
from palimpsest.slm.learning.wording import SummaryTeaching, completed
from palimpsest.storage.inmemory import InMemoryStore

PYTHON = os.environ.get("PALIMPSEST_TEST_SLM_PYTHON", "")
ME = "mine"
QUESTION = "Shorten: In the morning Cleo brought 47 lamps to the tower, and went home."
pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="no environment with vLLM, torch and peft; scripts/test-slm makes one"),
    pytest.mark.timeout(3600),
]


class Reports(SummaryTeaching):
    """Trial questions of the kind that a model of this size learns."""

    def probes(self) -> Sequence[tuple[str, str]]:
        """See Teaching."""
        return [("", QUESTION)]


@dataclass(frozen=True, slots=True)
class Served:
    """A tiny model, the folder of its adapters, and where it is served."""

    model: Path
    folder: Path
    address: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served, None, None]:
    folder = tmp_path_factory.mktemp("slm")
    model, adapters = make_tiny(PYTHON, folder), folder / "adapters"
    adapters.mkdir()
    with serving(PYTHON, model, adapters) as address:
        yield Served(model, adapters, f"{address}/v1")


@pytest_asyncio.fixture
async def host(served: Served) -> AsyncGenerator[VllmHost, None]:
    opened = VllmHost(model="slm", api_key="key", base_url=served.address, timeout_seconds=300, template=completed)
    yield opened
    await opened.aclose()


async def test_a_model_learns_serves_what_it_learned_and_goes_back(served: Served, host: VllmHost) -> None:
    store, teaching = InMemoryStore(), Reports(window=2048)
    folder = AdapterFolder(served.folder, str(served.model))
    gathering = Gathering(store=store, detector=None, teaching=teaching, own=(), consent=True)
    await gathering.take(ME, to_shorten(80), person="ann")
    training = Training(
        store=store,
        clock=SystemClock(),
        folder=folder,
        trainer=TrainerProcess(python=PYTHON, offline=True),
        template=completed,
        options=TrainingOptions(learning_rate=5e-3, dropout=0.0, epochs=2, batch=4, answer_tokens=16),
        limits=GateLimits(least_held=3),
    )
    adapter = (await training.train(ME)).adapter
    assert (adapter.state, adapter.reason) == ("published", None)
    [held] = [one for one in adapter.report["slices"] if one["split"] == "held"]
    assert held["candidate"] < held["base"]
    before = await host.say("slm", "", QUESTION, max_tokens=16)
    deployment = Deployment(store=store, files=folder, host=host, teaching=teaching)
    assert (await deployment.promote(ME, adapter.name)).route == Route(adapter.name)
    assert await host.loaded() == {adapter.name}
    assert await host.say(adapter.name, "", QUESTION, max_tokens=16) != before
    assert await deployment.roll_back(ME, "to see it go") == Route()
    assert await host.loaded() == frozenset()
    assert await host.say("slm", "", QUESTION, max_tokens=16) == before


async def test_the_server_itself_refuses_what_is_no_adapter(served: Served, host: VllmHost) -> None:
    broken = served.folder / "broken"
    broken.mkdir()
    (broken / CONFIG).write_text("{}")
    for path in (broken, served.folder / "none"):
        with pytest.raises(AdapterError):
            await host.load("broken", str(path))
    assert await host.loaded() == frozenset()
    assert await host.say("slm", "", QUESTION, max_tokens=4)

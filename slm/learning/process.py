"""The trainer's process: started, watched, and stopped with whoever started it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import LearningError

PROGRAM = Path(__file__).with_name("trainer.py")
_ERROR = re.compile(r"^(?:\w+\.)*(\w*(?:Error|Exception|Interrupt|Exit))\b", re.MULTILINE)
_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a trainer is."""

    stage: str = "starting"
    done: int = 0
    of: int = 0

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.stage} ({self.done} of {self.of})" if self.of else self.stage


@dataclass(frozen=True, slots=True)
class TrainerProcess:
    """How a trainer is run: with an interpreter that has the ``train`` extra, which need not be this one.

    One that says nothing new for ``stall_seconds`` is stopped.
    """

    python: str = sys.executable
    program: Path = PROGRAM
    stall_seconds: float = 1800.0
    every_seconds: float = 2.0
    offline: bool = False

    async def run(self, folder: Path, told: Callable[[Progress], Awaitable[None]]) -> None:
        """Run the trainer over a folder, and tell of every step that it says it took.

        What ``told`` raises stops it.

        Raises:
            LearningError: it could not be started, failed, or stalled.
        """
        environment = {**os.environ, **(_OFFLINE if self.offline else {})}
        with (folder / "log").open("wb") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    self.python,
                    "-P",
                    str(self.program),
                    str(folder),
                    # It ends when this end of the pipe does: also with this process, however that ends.
                    stdin=asyncio.subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=environment,
                )
            except OSError as error:
                raise LearningError(
                    f"The trainer's interpreter {self.python} cannot be run; set PALIMPSEST_LEARNING_PYTHON."
                ) from error
        try:
            await self._watch(process, folder, told)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
        if process.returncode:
            raise LearningError(_ended(process.returncode, read_progress(folder), folder / "log"))

    async def _watch(
        self, process: asyncio.subprocess.Process, folder: Path, told: Callable[[Progress], Awaitable[None]]
    ) -> None:
        loop = asyncio.get_running_loop()
        last, since = Progress(), loop.time()
        await told(last)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.every_seconds)
                return
            now = read_progress(folder)
            if now != last:
                last, since = now, loop.time()
            elif loop.time() - since > self.stall_seconds:
                raise LearningError(f"The trainer stalled while {last}, and was stopped.")
            await told(now)


def read_progress(folder: Path) -> Progress:
    """Return how far a trainer said it is."""
    try:
        found: Mapping[str, Any] = json.loads((folder / "progress.json").read_text(encoding="utf-8"))
        return Progress(str(found["stage"]), int(found["done"]), int(found["of"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Progress()


def _ended(code: int, progress: Progress, log: Path) -> str:
    """Say how a trainer ended; of its words only an error's name, for the others may be somebody's text."""
    if code < 0:
        return f"The trainer was killed by signal {-code} while {progress}."
    found = _ERROR.findall(log.read_text(encoding="utf-8", errors="replace"))
    why = f": {found[-1]}" if found else ""
    if found and found[-1] == "ModuleNotFoundError":
        why = (
            ": its interpreter lacks a package of the extra `train`; set PALIMPSEST_LEARNING_PYTHON to one that has it"
        )
    return f"The trainer ended with code {code} while {progress}{why}."

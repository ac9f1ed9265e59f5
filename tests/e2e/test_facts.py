"""Facts end to end: what a client tells is read by the background worker, and shown by the command."""

from __future__ import annotations

import asyncio
from pathlib import Path

from palimpsest.core.calls import NewMemory
from palimpsest.server.app import Application
from palimpsest.server.settings import Settings


async def test_what_was_told_is_known_soon_after(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "memory", idle_seconds=0, facts="rules")
    async with Application(settings) as application:
        session = await application.session("test")
        for day, city in ((1, "Oslo"), (2, "Rome")):
            told = NewMemory(f"Ann: I live in {city}.", memory_type="episodic", date=f"2026-01-0{day}")
            await session.memory.add(session.caller, told)
        session.wake()
        known = await session.services.facts.known(session.caller, past=True)
        for _ in range(300):
            if len(known) == 2:
                break
            await asyncio.sleep(0.1)
            known = await session.services.facts.known(session.caller, past=True)
        assert [(one.fact.value, one.item.latest) for one in known] == [("Rome", True), ("Oslo", False)]
        [hit, *_] = (await session.memory.search(session.caller, "Where does Ann live?")).hits
        assert "Rome" in hit.passage

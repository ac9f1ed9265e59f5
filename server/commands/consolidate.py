"""The command `consolidate`."""

import argparse

from ...core.consolidation import ConsolidationReport
from ..settings import Settings
from .opened import open_session

_SHOWN = 20


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Consolidate, or say what that would do."""
    async with open_session(settings) as session:
        report = await session.services.consolidation.run(
            session.caller.namespace, dry_run=arguments.dry_run, everything=arguments.all
        )
    show(report, "would be " if arguments.dry_run else "")
    return 0


def show(report: ConsolidationReport, would: str) -> None:
    """Print what was done, the first steps one by one."""
    print(f"{report.looked_at:,} statements looked at")
    folded = [f"{', '.join(one.other_ids)} -> {one.keeper_id}, {one.freed:,} tokens freed" for one in report.folded]
    several = sum(len(one.other_ids) for one in report.folded)
    _list(f"{several:,} repeats {would}folded into {len(folded):,} items", folded)
    merged = [
        f"{', '.join(one.source_ids)} -> {one.item_id or 'a new item'} by {one.by}, "
        f"{one.before:,} to {one.after:,} tokens"
        for one in report.merged
    ]
    sources = sum(len(one.source_ids) for one in report.merged)
    _list(f"{sources:,} statements {would}merged into {len(merged):,} items", merged)
    if report.released:
        _list(f"{len(report.released):,} merged items {would}let go, whose sources changed", report.released)
    if report.distilled:
        print(f"{report.distilled:,} items left to be read for facts")
    print(f"tokens of these in their blocks: {report.before:,} before, {report.after:,} after")
    for note in report.notes:
        print(note)


def _list(what: str, lines: list[str]) -> None:
    print(f"{what}{':' if lines else ''}")
    for line in lines[:_SHOWN]:
        print(f"  {line}")
    if len(lines) > _SHOWN:
        print(f"  and {len(lines) - _SHOWN} more")

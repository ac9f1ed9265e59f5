"""The figures of bench.latency for stores of several sizes, side by side.

    python -m palimpsest.bench.scale_search [--sizes 10000,100000,500000] [--markdown FILE] [--plot FILE.svg] [--show]

With ``--show`` nothing is measured: the figures that each store's last measurement left are shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import bulk, latency, plot

_SHOWN_ROOM = 0.01
_ROOM = "room taken, MB"

Figures = Mapping[str, Any]
"""What ``latency.run`` returns, as it comes back out of JSON."""


def timing(found: Mapping[str, float] | None) -> str:
    """Write median, 95th percentile and least, in milliseconds."""
    return "" if found is None else " / ".join(f"{found[part]:.2f}" for part in ("p50", "p95", "least"))


def number(found: float | None) -> str:
    """Write a number with three digits, or all those before the point."""
    if found is None:
        return ""
    return f"{found:,.0f}" if found >= 1000 or found == int(found) else f"{found:.3g}"


def table(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [f"| {title} | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    return [*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()), ""]


def room(found: Figures) -> dict[str, float]:
    """Return the megabytes of all tables and indexes, of an item in bytes, and of whatever takes a hundredth."""
    relations: Mapping[str, float] = found["numbers"][_ROOM]
    total = sum(relations.values())
    large = {name: size for name, size in relations.items() if size >= _SHOWN_ROOM * total}
    return {"all": total, "bytes an item": total * 1e6 / found["items"], **large}


def markdown(all_figures: Sequence[Figures]) -> str:
    """Return a table for each kind of measurement, a column for each size."""
    columns = [f"{found['items']:,} items" for found in all_figures]
    lines = [*(f"- {name}: {found['hardware']}" for name, found in zip(columns, all_figures, strict=True)), ""]
    for section in _names([found["timings"] for found in all_figures]):
        parts = [found["timings"].get(section, {}) for found in all_figures]
        rows = {name: [timing(part.get(name)) for part in parts] for name in _names(parts)}
        lines += table(f"{section}: median / 95th percentile / least, ms", columns, rows)
    for section in _names([found["numbers"] for found in all_figures]):
        parts = [room(found) if section == _ROOM else found["numbers"].get(section, {}) for found in all_figures]
        rows = {name: [number(part.get(name)) for part in parts] for name in _names(parts)}
        lines += table(section, columns, rows)
    return "\n".join(lines)


def _names(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for part in parts for name in part))


def draw(file: Path, all_figures: Sequence[Figures]) -> None:
    """Plot searches and their parts by the number of items."""
    lines = {
        "search, 95th percentile": ("memory.search", "p95"),
        "search, median": ("memory.search", "p50"),
        "both kinds of candidates": ("candidates by both", "p50"),
        "query embedding": ("query embedding alone", "p50"),
    }
    series = {
        name: [(found["items"], found["timings"]["search"][call][part]) for found in all_figures]
        for name, (call, part) in lines.items()
    }
    top = max(height for points in series.values() for _, height in points)
    plot.draw(file, "one search, one client", series, top=1.1 * top, unit="ms", across="items")


async def gather(sizes: Sequence[int], runs: int, clients: int, show_only: bool) -> list[Figures]:
    """Measure stores of these sizes, or read what was measured last; sizes never measured are left out then."""
    found: list[Figures] = []
    for size in sizes:
        folder = bulk.default_folder(size)
        if not show_only:
            await latency.run(size, runs, clients, folder)
        if (folder / latency.FIGURES).exists():
            found.append(json.loads((folder / latency.FIGURES).read_text()))
    return found


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="10000,100000,500000")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    found = asyncio.run(gather(sizes, arguments.runs, arguments.clients, arguments.show))
    text = markdown(found)
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")
    if arguments.plot and found:
        draw(arguments.plot, found)


if __name__ == "__main__":
    main()

"""A line plot as an SVG file, without any library."""

from collections.abc import Mapping, Sequence
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 720, 360, 48
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")


def draw(
    file: Path,
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    top: float,
    unit: str,
    across: str = "tokens in",
) -> None:
    """Write the series (x, y) as lines; y runs from 0 to ``top``, both axes are labelled with their ends.

    ``unit`` names what y counts, ``across`` what x does.
    """
    right = max((x for points in series.values() for x, _ in points), default=1.0) or 1.0

    def place(x: float, y: float) -> str:
        along = MARGIN + x / right * (WIDTH - 2 * MARGIN)
        down = HEIGHT - MARGIN - min(y, top) / top * (HEIGHT - 2 * MARGIN)
        return f"{along:.1f},{down:.1f}"

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="24" font-size="14">{title}</text>',
        f'<polyline fill="none" stroke="#888" points="{place(0, top)} {place(0, 0)} {place(right, 0)}"/>',
        f'<text x="4" y="{MARGIN + 4}" font-size="11">{top:g} {unit}</text>',
        f'<text x="{WIDTH - MARGIN - 60}" y="{HEIGHT - MARGIN + 18}" font-size="11">{right:,.0f} {across}</text>',
    ]
    for number, (name, points) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(place(x, y) for x, y in points)
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')
        lines.append(
            f'<text x="{MARGIN + 150 * number}" y="{HEIGHT - 12}" font-size="12" fill="{colour}">{name}</text>'
        )
    file.write_text("\n".join([*lines, "</svg>"]) + "\n", encoding="utf-8")

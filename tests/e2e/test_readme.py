"""The exchange that README.md shows, played against a real server: what the page says is what happens."""

import json
import re
from pathlib import Path
from typing import Any, TypeAlias

from .test_durability import call, server

README = Path(__file__).resolve().parents[2] / "README.md"
Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"

CODE = r"```json\n(.*?)```"
STEP = re.compile(rf"<!-- transcript: (\w+) -->\n{CODE}.*?<!-- answer -->\n{CODE}", flags=re.DOTALL)


def agrees(shown: Json, real: Any) -> bool:
    """Whether an abridged answer fits a real one: fields may be left out, and ``…`` stands for any ending."""
    match shown:
        case dict():
            return all(name in real and agrees(value, real[name]) for name, value in shown.items())
        case list():
            return len(shown) <= len(real) and all(map(agrees, shown, real))
        case str() if shown.endswith("…"):
            return str(real).startswith(shown[:-1])
        case _:
            return bool(shown == real)


async def test_the_exchange_in_the_readme_happens_as_it_is_shown(tmp_path: Path) -> None:
    steps = STEP.findall(README.read_text())
    assert [tool for tool, _, _ in steps] == ["memory_add", "memory_search"]
    for tool, arguments, answer in steps:
        # Each step is a server process of its own: another conversation, another day.
        async with server(tmp_path) as client:
            real = await call(client, tool, **json.loads(arguments))
            assert agrees(json.loads(answer), real), real

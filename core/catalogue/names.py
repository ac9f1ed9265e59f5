"""The forms in which one model's name is met: with a provider before it, a date or a tag behind it."""

import re
from collections.abc import Iterator

_SUFFIXES = (
    re.compile(r"[:@][^:@/]*$"),
    re.compile(r"-\d{4}-\d{2}-\d{2}$"),
    re.compile(r"-20\d{6}$"),
    re.compile(r"-latest$"),
)
# Amazon Bedrock's ids, `us.anthropic.claude-3-opus-20240229-v1:0`: region, maker, and a revision once the tag is off.
_BEDROCK = re.compile(r"^(?:[a-z-]+\.)?(?:anthropic|google|meta|mistral|openai|qwen)\.(.+?)(?:-v\d+)?$")


def folded(name: str) -> str:
    """Return the form of a name under which it is filed: without outer blanks, in lower case."""
    return name.strip().casefold()


def forms(name: str) -> Iterator[str]:
    """Yield a name's forms, the name itself first and the one with most taken off it last."""
    waiting = [folded(name)]
    seen: set[str] = set()
    while waiting:
        form = waiting.pop(0)
        if form in seen or not form:
            continue
        seen.add(form)
        yield form
        waiting += _shorter(form)


def _shorter(form: str) -> Iterator[str]:
    for suffix in _SUFFIXES:
        yield suffix.sub("", form)
    if bedrock := _BEDROCK.match(form):
        yield bedrock[1]
    yield form.partition("/")[2]

"""What a vLLM server tells of itself at ``/metrics``, in Prometheus' text format."""

import re
from dataclasses import dataclass

_LINE = re.compile(r"^(vllm:\w+)(?:\{[^}]*\})?\s+([-+0-9.eE]+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """Requests now, share of the key-value cache in use (0 to 1), and tokens since the server's start.

    ``prefix_hits`` of the ``prefix_queries`` tokens looked up were in the prefix cache.
    """

    running: int
    waiting: int
    cache_used: float
    prefix_queries: int
    prefix_hits: int
    prompt_tokens: int
    generated_tokens: int


def parse_metrics(text: str) -> ServerFigures | None:
    """Return the figures, summed over engines; None where the text has none of vLLM's."""
    sums: dict[str, float] = {}
    for name, value in _LINE.findall(text):
        try:
            sums[name] = sums.get(name, 0.0) + float(value)
        except ValueError:
            continue
    if "vllm:num_requests_running" not in sums:
        return None

    def whole(name: str) -> int:
        return int(sums.get(f"vllm:{name}", 0.0))

    return ServerFigures(
        whole("num_requests_running"),
        whole("num_requests_waiting"),
        sums.get("vllm:kv_cache_usage_perc", 0.0),
        whole("prefix_cache_queries_total"),
        whole("prefix_cache_hits_total"),
        whole("prompt_tokens_total"),
        whole("generation_tokens_total"),
    )


def describe_figures(figures: ServerFigures) -> str:
    """Return the figures as one line."""
    hits = f", {figures.prefix_hits / figures.prefix_queries:.0%} prefix hits" if figures.prefix_queries else ""
    return (
        f"{figures.running} running, {figures.waiting} waiting; cache {figures.cache_used:.0%} used{hits}; "
        f"{figures.prompt_tokens:,} tokens read and {figures.generated_tokens:,} written since its start"
    )

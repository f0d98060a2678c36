"""A server's own token counters, from its /metrics page in Prometheus's text format."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from cluster.servers.interface import TokenCounters
from cluster.servers.probe import ask_text
from shared.errors import ServerUnavailable

METRICS_TIMEOUT_S = 2.0
"""Both servers answer in milliseconds, llama.cpp between two tokens."""
LLAMACPP_EXACT_BELOW = 1_000_000
"""llama.cpp prints a counter as C++ prints a double, with six significant digits: 1234567 is 1.23457e+06."""


def llamacpp_counters(origin: str) -> TokenCounters | None:
    """Of llama.cpp and of what speaks its form; None from a million tokens on, where it rounds."""
    counted = _page(origin)
    read = counted.get("llamacpp:prompt_tokens_total")
    # Since August 2026 it tells these apart, and the first counter is without them. `usage` has both.
    cached = counted.get("llamacpp:prompt_tokens_cached_total", 0)
    written = counted.get("llamacpp:tokens_predicted_total")
    if read is None or written is None or max(read, cached, written) >= LLAMACPP_EXACT_BELOW:
        return None
    return TokenCounters(read + cached, written)


def vllm_counters(origin: str, api_key: str | None) -> TokenCounters | None:
    """Of vLLM, over all its models and engines; its prompt counter has cached tokens in it."""
    counted = _page(origin, api_key)
    read, written = counted.get("vllm:prompt_tokens_total"), counted.get("vllm:generation_tokens_total")
    return None if read is None or written is None else TokenCounters(read, written)


def count(text: str) -> dict[str, int]:
    """Whole numbers of a page by sample name, summed over label sets.

    None of a page that is malformed or cut off; a name with a value that is no count (negative, a fraction,
    not finite) is left out.
    """
    sums: dict[str, int] = {}
    odd: set[str] = set()
    if not text.endswith("\n"):
        return {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                value = float(sample.value)
                if value >= 0 and value.is_integer():
                    sums[sample.name] = sums.get(sample.name, 0) + int(value)
                else:
                    odd.add(sample.name)
    except ValueError:
        return {}
    return {name: value for name, value in sums.items() if name not in odd}


def _page(origin: str, api_key: str | None = None) -> dict[str, int]:
    try:
        text = ask_text(f"{origin}/metrics", api_key=api_key, timeout_s=METRICS_TIMEOUT_S)
    except ServerUnavailable:
        return {}
    return count(text) if text is not None else {}

"""How is a result told on a terminal? Verdict, intervals, findings with the worst first, and caveats, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_WORST_FIRST = ("failed", "inconclusive", "passed", "not_applicable")


def told(result: Mapping[str, Any]) -> str:
    """Tell a result.json in plain words."""
    return "\n".join(_lines(result))


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"{result['verdict'].upper()}  {result['scenario']}[{result['variant']}] of {result['environment']}"
    yield f"  run      {result['run_id']} ({result['evidence_class']})"
    yield _interval("RTO", result["rto"], result["time_scale"])
    if result["variant"] == "chosen":
        yield "  RPO      not judged: the restore point was chosen, and its boundary is judged instead"
    else:
        yield _interval("RPO", result["rpo"], result["time_scale"])
    for finding in sorted(result["findings"], key=lambda found: _WORST_FIRST.index(found["status"])):
        yield f"  {finding['status']:<13} {finding['check']}"
        yield f"                {finding['summary']}"
    for caveat in result["caveats"]:
        yield f"  caveat        {caveat}"


def _interval(name: str, interval: Mapping[str, Any] | None, time_scale: float) -> str:
    if interval is None:
        return f"  {name}      not measured"
    high_s = interval["high_s"]
    high = "no upper bound observed" if high_s is None else f"{_seconds(high_s)}"
    parts = " + ".join(f"{part['name']} {_seconds(part['seconds'])}" for part in interval["parts"])
    scaled = f", {_seconds(interval['objective_profile_s'])} of the service's time" if time_scale != 1 else ""
    return (
        f"  {name}      {interval['status']}: {_seconds(interval['low_s'])} to {high}; objective "
        f"{_seconds(interval['objective_s'])}{scaled}" + (f"\n           width: {parts}" if parts else "")
    )


def _seconds(value: float) -> str:
    return f"{value:.2f} s"

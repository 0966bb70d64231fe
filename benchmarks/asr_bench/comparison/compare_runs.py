"""What else differs between two runs than the figures."""

from __future__ import annotations

from collections.abc import Iterator

from asr_bench.measuring.environment import Environment
from asr_bench.results import EngineResult, Results

#: The fraction by which one machine's memory may be told differently: the kernel keeps some.
_MEMORY_TOLERANCE = 0.02


def other_machine(before: Environment, after: Environment) -> tuple[str, ...]:
    """Return what shows that these are two machines; nothing if they may be one."""
    signs = [
        f"{name}: {old}, then {new}"
        for name, old, new in (
            ("processor", before.cpu, after.cpu),
            ("logical cores", before.logical_cores, after.logical_cores),
            ("system", before.system, after.system),
        )
        if old != new
    ]
    sizes = before.memory_bytes, after.memory_bytes
    if sizes[0] and sizes[1] and abs(sizes[1] / sizes[0] - 1) > _MEMORY_TOLERANCE:
        signs.append(f"memory: {sizes[0] / 1e9:.1f} GB, then {sizes[1] / 1e9:.1f} GB")
    cpus = before.usable_cpus, after.usable_cpus
    if None not in cpus and cpus[0] != cpus[1]:
        signs.append(f"CPUs of the process: {cpus[0]}, then {cpus[1]}")
    return tuple(signs)


def differences(before: Results, after: Results) -> tuple[str, ...]:
    """Return what differs in versions, settings, engines, and their settings, a line each."""
    return (
        *_versions(before.environment, after.environment),
        *_settings(before, after),
        *_engines(before, after),
    )


def _versions(before: Environment, after: Environment) -> Iterator[str]:
    for name in ("python", "torch", "onnxruntime", "numpy", "commit"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield f"{name}: {old or 'unknown'}, then {new or 'unknown'}"


def _settings(before: Results, after: Results) -> Iterator[str]:
    for name in ("rounds", "warmup", "quick", "recordings", "normalizer"):
        old, new = getattr(before.settings, name), getattr(after.settings, name)
        if old != new:
            yield f"{name}: {old}, then {new}"


def _engines(before: Results, after: Results) -> Iterator[str]:
    old = {engine.name: engine for engine in before.engines}
    new = {engine.name: engine for engine in after.engines}
    for name in dict.fromkeys((*old, *new)):
        first, second = old.get(name), new.get(name)
        if _measured(first) and not _measured(second):
            yield f"{name}: only in the first run{_reason(second)}"
        elif _measured(second) and not _measured(first):
            yield f"{name}: only in the second run{_reason(first)}"
        elif first is not None and second is not None and _measured(first):
            if first.version != second.version:
                yield f"{name}: version {first.version}, then {second.version}"
            yield from _rows(first, second)


def _rows(first: EngineResult, second: EngineResult) -> Iterator[str]:
    old, new = _counts(first), _counts(second)
    for which, missing in (("first", old - new), ("second", new - old)):
        if missing:
            yield f"{first.name}: only in the {which} run: {', '.join(sorted(missing))}"


def _counts(engine: EngineResult) -> set[str]:
    found = {f"{row.duration:g} s on {row.threads}" for row in engine.latency}
    found |= {f"batch {row.batch_size} on {row.threads}" for row in engine.throughput}
    found |= {f"stream {row.chunk_ms:g}+{row.lookahead_ms:g} ms" for row in engine.streaming}
    found |= {"cold start"} if engine.cold_start else set()
    return found | ({"word error rate"} if engine.accuracy else set())


def _measured(engine: EngineResult | None) -> bool:
    return engine is not None and engine.skipped is None


def _reason(engine: EngineResult | None) -> str:
    return "" if engine is None else f", skipped in the other: {engine.skipped}"

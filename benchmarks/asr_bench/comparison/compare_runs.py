"""What else differs between two runs than the figures."""

from __future__ import annotations

from collections.abc import Iterator

from asr_bench.measuring.environment import Environment
from asr_bench.results import EngineResult, Results

#: The fraction by which one machine's memory may be told differently: the kernel keeps some.
_MEMORY_TOLERANCE = 0.02

_VERSIONS = ("python", "torch", "onnxruntime", "numpy", "commit")
_SETTINGS = ("rounds", "warmup", "quick", "recordings", "normalizer")


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
    old, new = before.memory_bytes, after.memory_bytes
    if old and new and abs(new / old - 1) > _MEMORY_TOLERANCE:
        signs.append(f"memory: {old / 1e9:.1f} GB, then {new / 1e9:.1f} GB")
    cpus = before.usable_cpus, after.usable_cpus
    if None not in cpus and cpus[0] != cpus[1]:
        signs.append(f"CPUs of the process: {cpus[0]}, then {cpus[1]}")
    return tuple(signs)


def differences(before: Results, after: Results) -> tuple[str, ...]:
    """Return what differs in versions, settings, engines, and their settings, a line each."""
    old, new = before.environment, after.environment
    versions = ((name, getattr(old, name), getattr(new, name)) for name in _VERSIONS)
    settings = (
        (name, getattr(before.settings, name), getattr(after.settings, name)) for name in _SETTINGS
    )
    return (
        *(f"{name}: {a or 'unknown'}, then {b or 'unknown'}" for name, a, b in versions if a != b),
        *(f"{name}: {a}, then {b}" for name, a, b in settings if a != b),
        *_engines(before, after),
    )


def _engines(before: Results, after: Results) -> Iterator[str]:
    old = {engine.name: engine for engine in before.engines}
    new = {engine.name: engine for engine in after.engines}
    for name in dict.fromkeys((*old, *new)):
        first, second = old.get(name), new.get(name)
        in_first = first is not None and first.skipped is None
        in_second = second is not None and second.skipped is None
        if in_first != in_second:
            which, other = ("first", second) if in_first else ("second", first)
            reason = f", skipped in the other: {other.skipped}" if other else ""
            yield f"{name}: only in the {which} run{reason}"
        elif first is not None and second is not None and in_first:
            if first.version != second.version:
                yield f"{name}: version {first.version}, then {second.version}"
            ours, theirs = _parts(first), _parts(second)
            for which, missing in (("first", ours - theirs), ("second", theirs - ours)):
                if missing:
                    yield f"{name}: only in the {which} run: {', '.join(sorted(missing))}"


def _parts(engine: EngineResult) -> set[str]:
    return {
        *(f"{row.duration:g} s on {row.threads}" for row in engine.latency),
        *(f"batch {row.batch_size} on {row.threads}" for row in engine.throughput),
        *(f"stream {row.chunk_ms:g}+{row.lookahead_ms:g} ms" for row in engine.streaming),
        *(["cold start"] if engine.cold_start else []),
        *(["word error rate"] if engine.accuracy else []),
    }

"""Size of packages on the disk, with everything they depend on."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import json
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement


def install_bytes(distributions: tuple[str, ...]) -> int | None:
    """Return the bytes of distributions and, through all their dependencies, of those.

    Extras of the distributions are not followed. None if one of the first is not installed.
    """
    sizes: dict[str, int] = {}
    waiting = list(distributions)
    while waiting:
        name = waiting.pop()
        if name in sizes:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name in distributions:
                return None
            continue  # a dependency of another platform, or one the user removed
        sizes[name] = _own_bytes(name)
        waiting += _requirements(distribution)
    return sum(sizes.values())


@functools.cache
def _own_bytes(name: str) -> int:
    distribution = importlib.metadata.distribution(name)
    paths = [Path(str(file.locate())) for file in distribution.files or []]
    paths += [path for folder in _editable(distribution) for path in folder.rglob("*")]
    return sum(path.stat().st_size for path in paths if path.is_file())


def _editable(distribution: importlib.metadata.Distribution) -> list[Path]:
    """Return the folders of a package that was installed editable from a checkout."""
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return []
    spec = importlib.util.find_spec(distribution.metadata["Name"].replace("-", "_"))
    return [Path(place) for place in (spec and spec.submodule_search_locations) or []]


def _requirements(distribution: importlib.metadata.Distribution) -> list[str]:
    names = []
    for text in distribution.requires or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            names.append(requirement.name)
    return names

"""What is installed, which devices work, and what is wrong."""

from __future__ import annotations

import hashlib
import os
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from asr_runtime import __version__
from asr_runtime.errors import AsrRuntimeError, AudioFileError, DeviceError, MicrophoneError
from asr_runtime.inference import device as devices
from asr_runtime.inference.cpus import usable_cpus
from asr_runtime.inference.session import ModelSession, load_session
from asr_runtime.language.language_model_file import read_language_model
from asr_runtime.live.microphone import (
    check_input_device,
    find_input_device,
    input_devices,
    load_sounddevice,
)
from asr_runtime.readable_text.punctuation_model import (
    DEFAULT_PUNCTUATION_MODEL,
    load_punctuation_model,
)
from asr_runtime.recognizer import DEFAULT_LANGUAGE_MODEL, DEFAULT_MODEL
from asr_runtime.standard_streams import name_as_text

_Result = TypeVar("_Result")

_WORKS = "works"

AudioLibrary = tuple[str, str]
"""Versions of soundfile and of the libsndfile that it uses."""


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found.

    Attributes:
        facts: Sections of names and values, plain JSON types, for the reader.
        problems: One line each; empty if everything that was asked for works.
    """

    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON types, and ``problems``."""
        return {**self.facts, "problems": list(self.problems)}

    def text(self) -> str:
        """Return the facts for a terminal, without the problems."""
        lines = []
        for section, values in self.facts.items():
            lines.append(section.replace("_", " "))
            lines += [f"  {name.replace('_', ' ')}: {_shown(it)}" for name, it in values.items()]
        return "\n".join(lines)


def diagnose(
    device: str = "auto",
    *,
    model: str | os.PathLike[str] | None = None,
    language_model: str | os.PathLike[str] | None = None,
    microphone: bool = False,
    input_device: str | None = None,
) -> Diagnosis:
    """Look at everything that a recogniser needs; try what can be tried.

    Args:
        device: The one that has to work: ``"cpu"``, ``"cuda"``, or ``"auto"`` for whatever works.
        model: Model file in place of the one in this package.
        language_model: Language model file in place of the one in this package.
        microphone: Whether one has to work.
        input_device: Which one, as in `find_input_device`.

    Returns:
        What works and what does not.

    Raises:
        DeviceError: The device does not exist.
    """
    if device not in devices.DEVICES:
        raise DeviceError(f"there is no device {device!r}; choose auto, cpu or cuda")
    model_path = DEFAULT_MODEL if model is None else Path(model)
    language_model_path = DEFAULT_LANGUAGE_MODEL if language_model is None else Path(language_model)
    found = Diagnosis()
    found.facts["versions"] = _versions(found)
    onnxruntime = _tried(found, devices.load_onnxruntime)
    if onnxruntime is not None:
        found.facts["onnxruntime"] = _build(onnxruntime)
        found.facts["devices"], session = _try_devices(onnxruntime, device, model_path, found)
        found.facts["model"] = _model(model_path, session, found)
        found.facts["punctuation_model"] = _punctuation_model(found)
    found.facts["language_model"] = _language_model(language_model_path, found)
    found.facts["microphone"] = _microphone(input_device)
    if microphone and found.facts["microphone"]["state"] != _WORKS:
        found.problems.append(f"microphone: {found.facts['microphone']['state']}")
    return found


def _versions(found: Diagnosis) -> dict[str, Any]:
    audio = _tried(found, _audio_library)
    return {
        "asr_runtime": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "numpy": np.__version__,
        "soundfile": audio and audio[0],
        "libsndfile": audio and audio[1],
    }


def _audio_library() -> AudioLibrary:
    try:
        import soundfile  # type: ignore[import-untyped, unused-ignore]
    except (ImportError, OSError) as error:
        raise AudioFileError(
            f"no audio file can be read because soundfile or its libsndfile is missing ({error}); "
            "pip install soundfile, or install your system's libsndfile"
        ) from None
    return soundfile.__version__, soundfile.__libsndfile_version__


def _build(onnxruntime: Any) -> dict[str, Any]:
    build_info = getattr(onnxruntime, "get_build_info", None)
    return {
        "version": onnxruntime.__version__,
        "packages": devices.packages(),
        "build": None if build_info is None else build_info(),
        "built_for_cuda": getattr(onnxruntime, "cuda_version", "") or None,
        "providers": onnxruntime.get_available_providers(),
    }


def _try_devices(
    onnxruntime: Any, device: str, path: Path, found: Diagnosis
) -> tuple[dict[str, Any], ModelSession | None]:
    """Return what is known of each device, and the model on the one that is used."""
    cuda = None
    # A file that is no model fails on any device, and is reported once, by the CPU's attempt.
    cpu = _tried(found, lambda: load_session(path, device="cpu"))
    reason = devices.cuda_obstacle(onnxruntime)
    reason = None if reason is None else f"CUDA cannot be used: {reason}"
    if reason is None and cpu is not None:
        try:
            cuda = load_session(path, device="cuda")
        except DeviceError as error:
            reason = str(error)
    if device == "cuda" and reason is not None:
        found.problems.append(reason)
    missing = (
        devices.preload_cuda_libraries(onnxruntime)
        if devices.CUDA_PROVIDER in onnxruntime.get_available_providers()
        else []
    )
    facts = {
        "cpu": f"works, {os.cpu_count()} logical cores, {usable_cpus()} of them for this process",
        "cuda": "works" if cuda is not None else reason or "not tried, because there is no model",
        "nvidia_driver_supports_cuda": devices.cuda_driver(),
        "cuda_libraries_not_found": missing,
        "auto_uses": "cuda" if cuda is not None else "cpu",
    }
    return facts, cpu if device == "cpu" or cuda is None else cuda


def _model(path: Path, session: ModelSession | None, found: Diagnosis) -> dict[str, Any]:
    facts: dict[str, Any] = {"file": name_as_text(path), "sha256": _sha256(path)}
    if session is None:
        return facts
    start = time.perf_counter()
    second = np.zeros(session.card.sample_rate, np.float32)
    if _tried(found, lambda: session.run([second])) is None:
        return facts
    facts["precision"] = session.card.precision
    facts["provider"] = session.provider
    facts["milliseconds_for_a_second_of_silence"] = round(1000 * (time.perf_counter() - start), 1)
    return facts


def _language_model(path: Path, found: Diagnosis) -> dict[str, Any]:
    facts: dict[str, Any] = {"file": name_as_text(path), "sha256": _sha256(path)}
    model = _tried(found, lambda: read_language_model(path))
    if model is not None:
        facts |= {"words": len(model.words), "order": model.order}
    return facts


def _punctuation_model(found: Diagnosis) -> dict[str, Any]:
    path = DEFAULT_PUNCTUATION_MODEL
    if not path.exists():
        return {"file": str(path), "state": "not in this installation; --punctuate needs a file"}
    facts: dict[str, Any] = {"file": str(path), "sha256": _sha256(path)}
    model = _tried(found, lambda: load_punctuation_model(path))
    facts["state"] = "cannot be used" if model is None else _WORKS
    if model is not None:
        card = model.card
        facts |= {"format_version": card.format_version, "words_ahead": card.words_ahead}
        facts["words_learned_from"] = card.training.get("words_learned_from")
    return facts


def _microphone(wanted: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"sounddevice": None, "portaudio": None, "input_devices": {}}
    try:
        sounddevice = load_sounddevice()
        facts["sounddevice"] = sounddevice.__version__
        facts["portaudio"] = sounddevice.get_portaudio_version()[1]
        facts["input_devices"] = {
            str(number): name for number, name in input_devices(sounddevice).items()
        }
        device = find_input_device(sounddevice, wanted)
        facts["used"] = device.name
        check_input_device(sounddevice, device)
        facts["state"] = _WORKS
    except MicrophoneError as error:
        facts["state"] = str(error)
    return facts


def _tried(found: Diagnosis, step: Callable[[], _Result]) -> _Result | None:
    """Return the step's result; None if it fails in a way that a user can mend, a problem."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return step()
    except AsrRuntimeError as error:
        found.problems.append(str(error))
        return None


def _sha256(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {version}" for name, version in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)

"""Which engines there are, and the audio and words that they are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr_bench.engines.asr_run import AsrRun
from asr_bench.engines.install_size import install_bytes
from asr_bench.engines.registry import choose, model_under_test, peer_engines
from asr_bench.errors import BenchError
from asr_bench.runs import normalization
from asr_bench.runs.clips import Recording, write_clips
from asr_bench.runs.measure import count_errors
from asr_bench.runs.run_command import default_threads
from asr_export import ExportOptions


def test_clips_are_speech_of_exactly_that_length(tmp_path: Path) -> None:
    recordings = []
    for value, size in ((1, 3000), (2, 2000)):
        path = tmp_path / f"{value}.npy"
        np.save(path, np.full(size, value, np.float32))
        recordings.append(Recording(path, size / 16_000, "x"))
    clips = write_clips(recordings, [0.125, 0.5], tmp_path)
    assert np.load(clips[0.125]).tolist() == [1] * 2000
    assert np.load(clips[0.5]).tolist() == [1] * 3000 + [2] * 2000 + [1] * 3000
    (generated,) = write_clips([], [0.25], tmp_path).values()
    assert np.load(generated).shape == (4000,)


def test_words_are_counted_after_normalising() -> None:
    assert (
        normalization.plain(" It\N{RIGHT SINGLE QUOTATION MARK}s,  TEN-fold: 3 % ")
        == "it's ten fold 3"
    )
    assert count_errors("a b c", "a x c d") == (2, 3)
    assert count_errors("", "a b") == (2, 0)
    assert count_errors("a b", "") == (2, 2)


def test_install_size_follows_dependencies() -> None:
    alone, with_dependencies = install_bytes(("numpy",)), install_bytes(("jiwer",))
    assert alone is not None
    assert alone > 10e6
    assert with_dependencies is not None
    assert with_dependencies > (install_bytes(("rapidfuzz",)) or 0) > 1e6
    assert install_bytes(("numpy", "jiwer")) == alone + with_dependencies
    assert install_bytes(("nothing-of-this-name",)) is None


def test_threads_up_to_all_cores() -> None:
    assert [default_threads(cores) for cores in (1, 2, 6, 8)] == [
        *([1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8])
    ]


def test_choosing_engines() -> None:
    peers = peer_engines({"vosk": "some/vosk-model-small"})
    assert [one.name for one in choose(peers, ["WHISPER tiny.en int8, greedy", "vosk"])] == [
        "faster-whisper tiny.en int8, greedy",
        "vosk vosk-model-small",
    ]
    assert choose(peers, []) == peers
    with pytest.raises(BenchError, match="no engine is called like 'kaldi'; there are: faster-"):
        choose(peers, ["vosk", "kaldi"])
    with pytest.raises(BenchError, match="'pocketsphinx' takes no model; those that do: onnx-asr"):
        peer_engines({"pocketsphinx": "x"})
    unnamed = next(one for one in peers if one.name == "whisper.cpp")
    assert unnamed.unavailable_reason() == "no model was named (--peer-model whisper.cpp=PATH)"


def test_a_checkpoint_has_every_backend_and_exports_only_what_is_chosen(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_under_test(tiny_checkpoint, tmp_path)
    assert [engine.name for engine in model.engines] == [
        *("asr-run tiny int8, beam", "asr-run tiny int8, greedy"),
        *("asr-run tiny fp32, beam", "asr-run tiny fp32, greedy"),
        "asr-run tiny fp32, greedy, cuda",
        *("torch eager tiny", "torch eager tiny, cuda", "torch.compile tiny"),
        *("TorchScript tiny", "torch.export tiny"),
        *("ONNX Runtime tiny fp32", "ONNX Runtime tiny fp16", "ONNX Runtime tiny int8"),
        *("ONNX Runtime tiny fp32, cuda", "OpenVINO tiny fp32"),
    ]
    assert model.info.operations_per_second_of_audio is not None
    exported: list[str] = []

    def export(_: object, path: Path, options: ExportOptions) -> None:
        exported.append(f"{options.precision.value} {options.chunking is not None}")
        if options.chunking is not None:
            raise RuntimeError("not today\nnor tomorrow")

    monkeypatch.setattr("asr_export.export", export)
    chosen = choose(model.engines, ["ONNX Runtime tiny fp16", "int8, beam"])
    failures = model.export(chosen)
    assert exported == ["fp16 False", "int8 True"]
    # One that cannot be exported is left out, with the reason, and the others go on.
    assert {path: failures.get(path) for one in chosen for path in one.files()[:1]} == {
        chosen[0].files()[0]: "cannot be exported: not today",
        chosen[1].files()[0]: None,
    }


def test_beam_needs_the_language_model_too(streaming_model: Path) -> None:
    greedy, beam = (
        AsrRun("tiny", str(streaming_model), "fp32", decoder) for decoder in ("greedy", "beam")
    )
    assert greedy.model_bytes() == streaming_model.stat().st_size
    assert len(beam.files()) == 2

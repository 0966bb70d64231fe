"""The model contract: the names and numbers that every exported file keeps, written down once.

The exporter, the trainer and the benchmarks import them from here. The module imports nothing, so
that a process that is measured can read it without loading anything else.

Shapes: ``batch`` utterances, ``samples`` of audio, ``frames`` of log-probabilities, ``classes`` of
the vocabulary.
"""

SAMPLE_RATE = 16_000
"""Samples a second of every model that this project exports, mono."""

INPUT_VALUES = "input_values"
"""Input, float32 [batch, samples]: mono audio, -1 to 1."""
INPUT_LENGTHS = "input_lengths"
"""Input, int64 [batch]: samples of each utterance before its padding."""
LOG_PROBS = "logprobs"
"""Output, float32 [batch, frames, classes]: natural logarithms."""
OUTPUT_LENGTHS = "output_lengths"
"""Output, int64 [batch]: frames of each utterance."""
PHONEME_LOG_PROBS = "phoneme_logprobs"
"""Output of a model with a phoneme head, float32 [batch, frames, phonemes + 1]."""

CONTEXT_FRAMES = "context_frames"
"""Optional input of a streaming model, int64 [batch]: leading frames that are context only."""
CHUNK_FRAMES = "chunk_frames"
"""Optional input of a streaming model, int64 [batch]: frames to emit after the context."""
STATE = "state"
"""Optional input of a streaming model, float32 [batch, layers, hidden]: from the chunk before."""
NEXT_STATE = "next_state"
"""Output of a streaming model, float32 [batch, layers, hidden]: for the next chunk."""

ALL_FRAMES = 1 << 40
"""A `CHUNK_FRAMES` that emits all that there are: more frames than any audio has."""

CARD_KEY = "model_card"
"""Where the card is: a key of ONNX's metadata, the name of an extra file in PyTorch's formats."""
CARD_FORMAT_VERSION = 1
"""The newest card that this package reads, and the one that the exporter writes."""

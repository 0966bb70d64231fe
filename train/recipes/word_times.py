"""Word times of a manifest by PocketSphinx, for ``asr-train calibrate --word-times``.

python train/recipes/word_times.py dev.jsonl word-times.jsonl    # pip install 'pocketsphinx>=5'

Its hidden Markov models have three states a phoneme at 10 ms a frame, trained apart from ours, so
their errors are not ours. Recordings with words that its dictionary lacks, or that it cannot align,
are left out.
"""

import json
import sys
from pathlib import Path

import soundfile
from pocketsphinx import Config, Decoder

FRAME_SECONDS = 0.01


def align(decoder: Decoder, samples: bytes, text: str) -> list[tuple[str, float, float]]:
    """The words with their start and end in seconds; RuntimeError if they do not fit."""
    decoder.set_align_text(text)
    for second_pass in (False, True):
        if second_pass:
            decoder.set_alignment()
        decoder.start_utt()
        decoder.process_raw(samples, full_utt=True)
        decoder.end_utt()
    return [
        (
            word.name.partition("(")[0],
            round(word.start * FRAME_SECONDS, 3),
            round((word.start + word.duration) * FRAME_SECONDS, 3),
        )
        for word in decoder.get_alignment().words()
        if word.name[0] not in "<["
    ]


def main() -> None:
    """Align a manifest."""
    manifest, out = map(Path, sys.argv[1:])
    decoder = Decoder(Config(lm=None, loglevel="FATAL"))
    with out.open("w", encoding="utf-8") as file:
        for line in manifest.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if any(decoder.lookup_word(word) is None for word in row["text"].split()):
                continue
            samples, _ = soundfile.read(manifest.parent / row["audio_filepath"], dtype="int16")
            try:
                words = align(decoder, samples.tobytes(), row["text"])
            except RuntimeError:
                continue
            file.write(json.dumps({"audio_filepath": row["audio_filepath"], "words": words}) + "\n")


if __name__ == "__main__":
    main()

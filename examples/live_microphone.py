"""Text while you speak, until Ctrl-C: ``pip install 'asr-runtime[cpu,mic]'``.

``asr-run --microphone`` does this too and copes with more: devices by name, overruns, unplugging.
"""

import contextlib

import sounddevice

from asr_runtime import Recognizer, StreamResult


def show(result: StreamResult) -> None:
    """Write over the line on which the sentence grows; a finished sentence keeps its line."""
    print(f"\r\033[K{result.text}", end="\n" if result.is_final else "", flush=True)


def main() -> None:
    """Transcribe the system's default microphone at its own sample rate."""
    recognizer = Recognizer.load()
    with sounddevice.InputStream(channels=1, dtype="float32") as microphone:
        stream = recognizer.stream(microphone.samplerate)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                samples, _overflowed = microphone.read(round(microphone.samplerate / 10))
                for result in stream.feed(samples):
                    show(result)
    for result in stream.finish():
        show(result)


if __name__ == "__main__":
    main()

"""The words of a recording with their times: ``python examples/transcribe_file.py speech.mp3``."""

import sys

from asr_runtime import AsrRuntimeError, Recognizer


def main(path: str) -> None:
    """Print the text of ``path``, how sure the model is of it, and when each word was spoken."""
    transcript = Recognizer.load().transcribe(path)
    print(f"{transcript.text} ({transcript.confidence:.2f})")
    for word in transcript.words:
        print(f"{word.start:6.2f} {word.end:6.2f} {word.text}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: transcribe_file.py RECORDING")
    try:
        main(sys.argv[1])
    except AsrRuntimeError as error:  # it says what is wrong and what to do
        sys.exit(str(error))

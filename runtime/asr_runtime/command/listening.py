"""Audio in while it comes, sentences out, from a microphone or a stream."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from asr_runtime.audio.sample_format import SampleFormat
from asr_runtime.command.interruption import Interrupted, Interruption
from asr_runtime.command.live_display import LiveDisplay, open_display
from asr_runtime.command.messages import report
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.live.live_source import LiveSource
from asr_runtime.live.live_stream import LiveStream, StreamResult
from asr_runtime.recognizer import Recognizer
from asr_runtime.sentences.endpointing import EndpointConfig


@dataclass(frozen=True)
class ListenOptions:
    """What to listen to, and how; None where the default is meant.

    Attributes:
        stream: File, named pipe or ``-``; None for the microphone.
        input_device: Name or number of the microphone.
        raw: How samples lie in a stream without a header.
        channels: ``"mix"``, or the number of the channel to transcribe, from 1 on.
        accept_incomplete: Whether a stream that ends too early is a warning and no error.
        chunk_ms: Milliseconds of audio that go through the model at a time.
        lookahead_ms: Milliseconds of audio after them that the model waits for.
        pause_ms: Milliseconds of silence that end a sentence.
    """

    stream: str | None = None
    input_device: str | None = None
    raw: SampleFormat | None = None
    channels: str | int = "mix"
    accept_incomplete: bool = False
    chunk_ms: int | None = None
    lookahead_ms: int | None = None
    pause_ms: int | None = None

    @property
    def endpoint(self) -> EndpointConfig | None:
        """What ends a sentence."""
        if self.pause_ms is None:
            return None
        return EndpointConfig(silence_seconds=self.pause_ms / 1000)

    def open(self) -> LiveSource:
        """Open the microphone or the stream.

        Returns:
            The source, which records already.

        Raises:
            AsrRuntimeError: It cannot be opened.
        """
        if self.stream is None:
            from asr_runtime.live.microphone import MicrophoneSource

            return MicrophoneSource(self.input_device)
        from asr_runtime.live.pipe_source import open_stream

        return open_stream(
            self.stream,
            self.raw,
            channels=self.channels,
            accept_incomplete=self.accept_incomplete,
        )


def listen(recognizer: Recognizer, options: ListenOptions, *, as_json: bool) -> int:
    """Transcribe until the audio ends or the user does.

    Args:
        recognizer: What transcribes.
        options: What to listen to.
        as_json: Whether to print JSON lines.

    Returns:
        The exit status: 0; 1 if the audio or the model failed; 128 and its number if a signal such
        as Ctrl-C broke off a stream. A microphone has no other end, so that is 0.
    """
    name = "microphone" if options.stream is None else options.stream
    heard: list[str] = []
    display = open_display(sys.stdout, as_json=as_json)
    start = partial(
        recognizer.stream,
        chunk_ms=options.chunk_ms,
        lookahead_ms=options.lookahead_ms,
        endpoint=options.endpoint,
    )
    with Interruption() as interruption:
        problem: AsrRuntimeError | None = None
        warnings: list[str] = []
        try:
            # What the model cannot do is to be told before anyone speaks.
            start(recognizer.card.sample_rate)
            with interruption.waiting():
                source = options.open()
            try:
                if source.description is not None and sys.stderr.isatty():
                    report(f"listening to {source.description}; Ctrl-C ends")
                stream = start(source.sample_rate)
                try:
                    _transcribe(source, stream, display, interruption)
                finally:
                    heard += stream.warnings
            finally:
                source.close()
                display.clear()
                warnings = [*source.warnings(), *heard]
        except Interrupted:
            pass  # before there was anything to hear
        except AsrRuntimeError as error:
            problem = error
        for warning in warnings:
            report(f"warning: {name}: {warning}")
        if problem is not None:
            report(str(problem) if problem.subject is not None else f"{name}: {problem.problem}")
            return 1
        if interruption.signal is None or options.stream is None:
            return 0
        return 128 + interruption.signal


def _transcribe(
    source: LiveSource, live: LiveStream, display: LiveDisplay, interruption: Interruption
) -> None:
    """Show what is heard, to the end; what was heard before a failure is shown too."""
    problem: AsrRuntimeError | None = None
    try:
        _feed(source, live, display, interruption)
    except AsrRuntimeError as error:
        problem = error
    try:
        _show(display, live.finish())
    except AsrRuntimeError as error:
        problem = problem or error
    if problem is not None:
        raise problem


def _feed(
    source: LiveSource, live: LiveStream, display: LiveDisplay, interruption: Interruption
) -> None:
    blocks = source.blocks()
    try:
        while True:
            with interruption.waiting():
                block = next(blocks, None)
            if block is None:
                return
            _show(display, live.feed(block))
    except Interrupted:
        source.close()
        for block in source.blocks():
            _show(display, live.feed(block))


def _show(display: LiveDisplay, results: Iterable[StreamResult]) -> None:
    for result in results:
        display.show(result)

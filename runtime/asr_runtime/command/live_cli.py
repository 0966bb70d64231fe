"""``asr-run --stream`` and ``asr-run --microphone``: audio in while it comes, sentences out."""

import sys
from collections.abc import Callable, Iterable
from functools import partial

from asr_runtime.command.interruption import Interrupted, Interruption
from asr_runtime.command.live_display import LiveDisplay, open_display
from asr_runtime.command.live_options import LiveOptions
from asr_runtime.errors import AsrRuntimeError
from asr_runtime.live.live_source import LiveSource
from asr_runtime.live.live_stream import LiveStream, StreamResult
from asr_runtime.recognizer import Recognizer
from asr_runtime.sentences.endpoint_config import EndpointConfig


def transcribe_live(
    recognizer: Recognizer,
    options: LiveOptions,
    *,
    as_json: bool,
    report: Callable[[str], None],
) -> int:
    """Transcribe until the audio ends or the user does, and return the exit status.

    report: takes each message for the user, one line.

    0; 1 if the audio or the model failed; 128 and its number if a signal such as Ctrl-C broke off a
    stream. A microphone has no other end, so that is 0.
    """
    name = "microphone" if options.microphone else options.stream[0]
    display = open_display(sys.stdout, as_json=as_json)
    start = partial(
        recognizer.stream,
        chunk_ms=options.chunk_ms,
        lookahead_ms=options.lookahead_ms,
        endpoint=_endpoint(options),
    )
    with Interruption() as interruption:
        problem: AsrRuntimeError | None = None
        warnings: list[str] = []
        try:
            # What the model cannot do is to be told before anyone speaks.
            start(recognizer.card.sample_rate)
            with interruption.waiting():
                source = _open(options)
            try:
                if source.description is not None and sys.stderr.isatty():
                    report(f"listening to {source.description}; Ctrl-C ends")
                _transcribe(source, start(source.sample_rate), display, interruption)
            finally:
                source.close()
                display.clear()
                warnings = source.warnings()
        except Interrupted:
            pass  # before there was anything to hear
        except AsrRuntimeError as error:
            problem = error
        for warning in warnings:
            report(f"warning: {name}: {warning}")
        if problem is not None:
            report(str(problem) if problem.subject is not None else f"{name}: {problem.problem}")
            return 1
        if interruption.signal is None or options.microphone:
            return 0
        return 128 + interruption.signal


def _open(options: LiveOptions) -> LiveSource:
    if options.microphone:
        from asr_runtime.live.microphone import MicrophoneSource

        return MicrophoneSource(options.input_device)
    from asr_runtime.live.pipe_source import open_stream

    return open_stream(options.stream[0], options.sample_rate)


def _endpoint(options: LiveOptions) -> EndpointConfig | None:
    if options.pause_ms is None:
        return None
    return EndpointConfig(silence_seconds=options.pause_ms / 1000)


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

"""What the command line says about live transcripts, and whether it fits together."""

from collections.abc import Sequence
from dataclasses import dataclass

import typer


@dataclass(frozen=True)
class LiveOptions:
    """The options of ``asr-run`` that only live transcripts have; None where not given.

    stream: the FILE of each ``--stream``. sample_rate: Hz. The rest as ``asr-run --help`` says.
    """

    stream: Sequence[str] = ()
    microphone: bool = False
    input_device: str | None = None
    sample_rate: int | None = None
    chunk_ms: int | None = None
    lookahead_ms: int | None = None
    pause_ms: int | None = None

    @property
    def wanted(self) -> bool:
        """Whether there is something to listen to."""
        return self.microphone or bool(self.stream)

    def check(self, files: Sequence[str], *, doctor: bool) -> None:
        """Raise typer.BadParameter for what does not go together."""
        if self.microphone and self.stream:
            raise typer.BadParameter("choose one of --stream and --microphone")
        if len(self.stream) > 1:
            raise typer.BadParameter("--stream can be given once; it takes one FILE")
        if self.wanted and files:
            name = "--microphone" if self.microphone else "--stream"
            raise typer.BadParameter(f"{name} takes no further FILE", param_hint="'FILE...'")
        if doctor and self.stream:
            raise typer.BadParameter("--doctor takes no --stream")
        if self.input_device is not None and not self.microphone:
            raise typer.BadParameter("--input-device needs --microphone")
        if self.sample_rate is not None and not self.stream:
            raise typer.BadParameter("--sample-rate needs --stream; other audio brings its own")
        settings = {
            "--chunk-ms": self.chunk_ms,
            "--lookahead-ms": self.lookahead_ms,
            "--pause-ms": self.pause_ms,
        }
        for name, value in settings.items():
            if value is not None and not self.wanted:
                raise typer.BadParameter(f"{name} needs --stream or --microphone")

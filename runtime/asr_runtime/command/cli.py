"""The ``asr-run`` command: which of its commands is meant.

A command is a module of this package with a typer ``app`` in it, and a line in `COMMANDS`. It is
imported when it is called, and imports what is slow when its arguments are known, so that
``--help`` is there at once. Options that several commands have are defined in `options`, and those
that say which recogniser to load are the fields of `loading.LoadingOptions`.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from importlib import import_module

import typer

from asr_runtime.standard_streams import guarded_streams

COMMANDS = {
    "align": "asr_runtime.command.align",
    "listen": "asr_runtime.command.listen",
    "doctor": "asr_runtime.command.doctor",
}
"""Module of each command by its name, the first argument."""

_DEFAULT = "asr_runtime.command.transcribe"


def main() -> None:
    """Run the command that the first argument names, or else transcribe files.

    Exit status: 0; 1 if something failed, also if standard output did or its reader has left; 2 for
    wrong usage; of ``listen`` also 128 and the number of the signal that ended it.
    """
    arguments = sys.argv[1:]
    name = arguments[0] if arguments else ""
    with guarded_streams("asr-run"):
        if name in COMMANDS:
            _run(COMMANDS[name], f"asr-run {name}", arguments[1:])
        else:
            _run(_DEFAULT, "asr-run", arguments)


def program() -> None:
    """Run the command, and end as soon as it has.

    Python would first take itself apart, module by module: 40 ms for what the system frees at
    once. What it does besides, it does here too: it waits for threads and calls what is to be
    called at the end.
    """
    try:
        main()
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
                stream.flush()
        os._exit(ended.code)


def _run(module: str, program: str, arguments: list[str]) -> None:
    app: typer.Typer = import_module(module).app
    app(args=arguments, prog_name=program)

"""Memory that was freed, given back to the system."""

import ctypes


def return_freed_memory() -> None:
    """Ask the C library for it, where it can: glibc, which keeps what is freed in between.

    ONNX Runtime expands and rearranges the weights when it opens a model, and frees several times
    their size; what is used later finds other places often enough.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return

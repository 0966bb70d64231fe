"""Exported files of every format as callables, and their model cards."""

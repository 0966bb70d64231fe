"""Reports of a run: tables, plots, and a page that holds both."""

from asr_bench.reporting.report import to_text, write_markdown, write_reports

__all__ = ["to_text", "write_markdown", "write_reports"]

"""Reports of a run: tables, plots, and a page that holds both."""

from asr_bench.reporting.report import write_reports

__all__ = ["write_reports"]

"""Weights on disk: saving, averaging, rounding."""

"""Precision of weights and arithmetic."""

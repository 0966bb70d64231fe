"""Recognised words as people write them: signs, capital letters and numbers."""

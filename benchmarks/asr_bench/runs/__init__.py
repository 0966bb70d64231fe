"""Measurements of engines, all in turn on the same audio: ``run`` and its presets."""

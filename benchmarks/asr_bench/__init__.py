"""Measure every form of a model: how long it takes, and how much of the machine it uses."""

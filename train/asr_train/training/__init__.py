"""The training loop, its losses, and what a run leaves behind."""

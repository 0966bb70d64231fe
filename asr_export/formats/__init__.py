"""Export formats: how a checkpoint becomes a file of each."""

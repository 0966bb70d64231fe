"""Changes to training audio."""

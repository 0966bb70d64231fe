"""Error rates, and the decoder's settings."""

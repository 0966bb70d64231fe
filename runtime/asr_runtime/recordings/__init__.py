"""Recordings of any length: read in windows, put together again, in bounded memory."""

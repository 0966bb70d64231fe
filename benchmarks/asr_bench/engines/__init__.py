"""Every engine that is measured, each behind one adapter in a file of its own."""

"""Time, memory and words of what runs, on what machine, and how sure the figures are."""

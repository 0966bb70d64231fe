"""Changes to the traced graph: operators, streaming inputs, how weights are stored."""

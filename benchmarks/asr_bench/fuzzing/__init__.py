"""Damaged files against the runtime: each must give a clear error or a result, nothing else."""

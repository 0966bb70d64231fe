"""Damaged files against the runtime: does each give a clear error, or a result, and nothing else?"""

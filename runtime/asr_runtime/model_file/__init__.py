"""A model's file: its bytes checked before a C++ program opens them, and the facts in it."""

"""Tables for people, documents for programs, and where both go."""

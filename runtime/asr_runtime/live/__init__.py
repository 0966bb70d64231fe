"""Speech while it is spoken: where it comes from, and what is made of it."""

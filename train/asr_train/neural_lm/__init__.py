"""Training of a neural language model over words, which chooses among the search's last texts."""

"""What is exported: the options, the checkpoint at their precision, and its model card."""

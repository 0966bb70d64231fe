"""What a model consists of: layers, sizes, operations."""

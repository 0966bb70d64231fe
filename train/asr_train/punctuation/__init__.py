"""Training of the model that puts signs and capital letters into recognised text."""

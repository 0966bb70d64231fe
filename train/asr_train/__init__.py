"""Train a ResCNN-BiGRU speech recogniser: data, features, model, training loop."""

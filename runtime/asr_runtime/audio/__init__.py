"""What people have of speech (files, streams, samples) as the mono float32 that the model takes."""

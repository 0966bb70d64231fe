"""Synthetic speech as training data: engines that run offline, and a corpus made with them."""

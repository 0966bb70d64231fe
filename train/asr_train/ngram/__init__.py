"""Word n-gram language models for the runtime's beam search: count, smooth, prune, write."""

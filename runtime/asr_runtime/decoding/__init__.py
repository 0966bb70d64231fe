"""Log-probabilities of one utterance to text with times and confidences: greedy or by beams."""

"""Speech without an end as sentences, while their log-probabilities come."""

"""What `clickloop bench search` measures: search over 100,000 articles on two cores."""

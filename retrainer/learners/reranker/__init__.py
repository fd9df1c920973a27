"""A cross-encoder learns the collection's labels, and teaches a smaller encoder, which serves."""

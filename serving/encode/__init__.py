"""Text to vectors, each text once."""

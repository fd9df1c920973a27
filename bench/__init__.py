"""What `clickloop bench` runs."""

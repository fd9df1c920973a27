"""What belongs to the paths of requests."""

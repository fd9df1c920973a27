"""Join health: whether feedback finds what it is about. All checks are listed in `register`."""

"""Join health: whether feedback finds what it is about. One check a file, all listed in `register`."""

"""`clickloop demo` and `clickloop simulate`: users made of click models on a running service."""

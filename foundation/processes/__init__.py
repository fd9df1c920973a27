"""Child processes and threads that live as long as they should."""

"""What a source of documents may be written in; one module a format."""

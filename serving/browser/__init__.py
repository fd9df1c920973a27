"""What pages in a browser search with."""

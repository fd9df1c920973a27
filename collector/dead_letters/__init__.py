"""Records that could not be taken: kept with their reason, counted, and sent again."""

"""The causes, one a module; each reads what is known of a version and says whether it explains the missing gain."""

"""From what was counted to what should be done (pure)."""

"""Two rankings in one list, and which of them a click speaks for (pure)."""

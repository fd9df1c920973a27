"""Who may do what, how often, and who did it."""

"""What experiments measure (pure)."""

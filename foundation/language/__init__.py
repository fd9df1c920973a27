"""What texts of any language have in common (pure)."""

"""Position and trust bias, propensities and labels (pure)."""

"""What an experiment is and who takes part in it (pure)."""

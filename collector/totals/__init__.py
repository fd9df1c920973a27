"""What the searches of an experiment's run add up to: as it is stored, and folded again as of any change."""

"""The live evidence of a moment, kept so that both sides of an experiment rank with the same."""

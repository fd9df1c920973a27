"""The commands of the owner's relevance settings."""

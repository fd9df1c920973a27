"""The pages of a search: how far they go, and what each of them shows."""

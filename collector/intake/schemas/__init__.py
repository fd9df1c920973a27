"""One file per event schema, each normalising to the contract (pure)."""

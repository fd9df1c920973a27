"""What other parts may read of what the collector keeps; `collector.api` lists it."""

"""The way of a candidate to all traffic: planned, proven step by step, watched after its promotion."""

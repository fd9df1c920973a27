"""The searchable form of a collection, in memory and in sealed snapshots."""

"""The documents of every collection, their declared fields, and the feed of their changes."""

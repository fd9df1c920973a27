"""What lists and the events about them add up to, in integers, whatever the order (pure)."""

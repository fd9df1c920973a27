"""Which arm each search gets, from memory: what runs, and the arm in which a person was seen first."""

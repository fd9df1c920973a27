"""How well experiments decide, and what measuring them costs."""

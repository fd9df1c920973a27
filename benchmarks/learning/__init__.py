"""What clicks teach, and what the gate lets through."""

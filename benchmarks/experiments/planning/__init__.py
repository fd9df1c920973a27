"""Whether planned experiments find what they are planned for."""

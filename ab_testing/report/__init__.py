"""An experiment as people read it."""

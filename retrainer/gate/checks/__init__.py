"""What a candidate must pass, one check a file: each a pure function of what was measured."""

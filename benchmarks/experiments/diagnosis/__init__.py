"""What people are told of experiments: the report's sentence, and why nothing came of a version."""

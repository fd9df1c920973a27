"""Whether a candidate may enter an experiment."""

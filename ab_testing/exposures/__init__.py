"""Lists that other engines ranked in an experiment, as apps post them."""

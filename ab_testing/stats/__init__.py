"""Pure statistics on numpy and scipy."""

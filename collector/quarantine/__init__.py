"""Users who behave like machines: held back until somebody releases them."""

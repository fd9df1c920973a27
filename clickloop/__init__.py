"""The face of the product: composition root and command line."""

"""What `clickloop bench` runs. It imports the product and is not part of the wheel."""

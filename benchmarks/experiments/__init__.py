"""What experiments cost, and whether they tell the truth."""

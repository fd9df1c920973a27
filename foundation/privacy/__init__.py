"""What is kept of people: pseudonyms, masks, signatures, and the secrets they need."""

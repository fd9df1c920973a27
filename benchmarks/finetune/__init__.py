"""Fine-tuning of the encoder: what it gains, forgets and costs, and the swap to what it made."""

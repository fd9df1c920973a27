"""Fine-tunes the encoder itself: pairs to learn from, the training, and the merge with the weights before it."""

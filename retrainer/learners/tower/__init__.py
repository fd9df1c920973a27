"""The slow learner that is quick: a static tower from the encoder's own word vectors."""

"""What interleaving sees of two versions: nothing where there is nothing, and how soon it sees a difference."""

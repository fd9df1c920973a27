"""What one person chose before, and how far it moves what they are shown."""

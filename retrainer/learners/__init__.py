"""What is learned from labels: adapter, memory and fusion."""

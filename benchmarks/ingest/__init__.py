"""What feedback costs: throughput, lag, what a crash loses, what a disordered delivery changes."""

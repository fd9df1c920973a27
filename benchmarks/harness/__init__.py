"""What benches share: servers, load, collections, and how findings are told."""

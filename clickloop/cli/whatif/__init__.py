"""`clickloop whatif`: what another version would have shown for the queries of past days."""

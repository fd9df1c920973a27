"""`clickloop gold`: people judge the queries that nothing is learned from."""

"""`clickloop replay --from`: searches and events out of logs that a team already has, sent to the running service."""

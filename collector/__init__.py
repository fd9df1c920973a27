"""Events to evidence to training labels. Sole writer of events, impressions and evidence."""

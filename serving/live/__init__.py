"""What is served now: documents, evidence and versions, kept up to date under running requests."""

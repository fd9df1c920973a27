"""How an owner shapes relevance: synonyms, rules and terms of the score, as revisions of a collection's settings."""

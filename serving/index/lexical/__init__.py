"""BM25 over words: analysis, query clauses, spelling and synonyms."""

"""What a search asks for beside its words: operators in its text, filter, order, facets."""

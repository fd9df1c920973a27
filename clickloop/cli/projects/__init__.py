"""The guide's projects: a shop, a retriever of clauses, a support desk; each measures its collection and draws it."""

"""The routes of search, context, documents, fields, suggestions and the index."""

"""Typed fields by row: filters, facets and sorting."""

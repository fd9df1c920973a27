"""Queries whose answers people have judged: never learned from, and asked of every candidate."""

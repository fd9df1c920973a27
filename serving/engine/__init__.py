"""Ranking without web or SQL: the same code serves requests and judges candidates offline."""

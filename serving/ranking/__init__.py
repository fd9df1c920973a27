"""From a query to a ranked list, without web or SQL: the same code serves requests and judges candidates."""

"""A shop of many products: pages, orders, counts and rules, against a count by hand."""

"""The database: engine, transactions, schema, tables and leases."""

"""What the record says of queries, documents and ranks: reports that only read. One file each."""

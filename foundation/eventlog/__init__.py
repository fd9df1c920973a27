"""The durable log between the edges and the collector: in the database or on Kafka, behind one protocol."""

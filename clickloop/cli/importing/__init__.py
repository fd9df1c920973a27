"""`clickloop index`: documents out of files of many formats, read as a stream."""

"""Takes the log in: events meet the lists they are about, and evidence moves in one transaction."""

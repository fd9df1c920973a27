"""Learns candidates from evidence, gates them, proves them, promotes them. Sole writer of versions."""

"""The running service: its processes, its address, its application."""

"""What every request passes before its route, and what every route answers when something is wrong."""

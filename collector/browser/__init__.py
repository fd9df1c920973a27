"""The browser's client and the route that serves it."""

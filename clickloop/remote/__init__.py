"""A running service, as commands and integrations use it over HTTP."""

"""How large an experiment must be: from what was searched lately to searches and days."""

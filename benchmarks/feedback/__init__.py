"""What feedback is worth: bias recovered from clicks, and what floods of them do."""

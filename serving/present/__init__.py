"""What an answer shows beside the ranking: snippets, suggestions, passages for a chatbot (pure)."""

"""The static tower: a second encoder of one learned vector a word piece, quick enough to be learned as a whole."""

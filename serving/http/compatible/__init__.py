"""Routes that look like those of other search services, so that their clients work unmodified."""

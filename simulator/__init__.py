"""Users made of click models over judged collections, driving the real HTTP API from outside."""

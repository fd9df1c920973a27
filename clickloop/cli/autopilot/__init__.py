"""`clickloop autopilot`: what it will do, pause it, let it go on."""

"""Join-health checks: one file each."""

"""The metrics that apps define for themselves, over base signals and custom events."""

"""Tells trackers of experiments outside of every candidate: one file a tracker, each needs an extra of its name.

Every tracker has `record`, which takes a version and raises nothing of its service: what is not recorded is logged.
"""

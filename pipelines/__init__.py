"""Wiring only: which step follows which, and where each runs."""

"""Simulated presentation attacks. Simulated means simulated: see docs and every report."""

"""Watches the traffic: windows, drift, alerts, retraining."""

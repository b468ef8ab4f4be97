"""Helpers that locustfiles and tools import from Locust."""

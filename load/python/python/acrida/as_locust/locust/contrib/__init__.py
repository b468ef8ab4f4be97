"""Clients beside ``self.client``."""

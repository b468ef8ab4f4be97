"""The Python side of an HTTP exchange: what locustfiles hand in, and what they get back."""

"""Rounding as people expect it."""


def proper_round(val: float, digits: int = 0) -> float:
    """``val`` with so many digits after the point, halves rounded up (Python rounds them to even)."""
    value = float(val)
    return round(value + 10 ** (-len(str(value)) - 1), digits)

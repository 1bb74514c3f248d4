"""Prices in cents."""


def with_tax(cents: int, percent: int) -> int:
    """Rounded to the nearest cent, half a cent upwards."""
    return cents + cents * percent // 100

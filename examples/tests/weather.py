"""Asks a weather service that wants a key."""

import json
import os
import urllib.request


def temperature(city: str) -> float:
    """Degrees Celsius in a city now. Raises urllib.error.HTTPError where the service says no."""
    request = urllib.request.Request(
        f"https://api.example.com/v1/weather/{city}",
        headers={"Authorization": f"Bearer {os.environ['WEATHER_KEY']}"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["celsius"]

import unittest

from weather import temperature


class Weather(unittest.TestCase):
    def test_it_is_warmer_than_absolute_zero(self):
        self.assertGreater(temperature("bonn"), -273.15)

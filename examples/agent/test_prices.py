import unittest

from prices import with_tax


class Prices(unittest.TestCase):
    def test_half_a_cent_is_rounded_upwards(self):
        self.assertEqual(with_tax(50, 19), 60)

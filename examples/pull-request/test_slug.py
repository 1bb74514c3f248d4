import unittest

from slug import slug


class Slug(unittest.TestCase):
    def test_words_are_joined_by_hyphens(self):
        self.assertEqual(slug("Hello, World!"), "hello-world")

"""The table of routes and the words of HTTP."""

from app.routes import ROUTES
from app.web import load
from tests.support import DeskTest, setUpModule  # noqa: F401


class WebTest(DeskTest):
    def test_every_route_has_a_function(self):
        for _, address, handler in ROUTES:
            with self.subTest(address):
                self.assertTrue(callable(load(handler)))

    def test_no_route_is_there_twice(self):
        addresses = [(method, address) for method, address, _ in ROUTES]
        self.assertEqual(len(addresses), len(set(addresses)))

    def test_the_front_page_counts(self):
        self.tool()
        self.assertGreaterEqual(self.call("GET", "/")[1]["tools"], 1)

    def test_what_nothing_answers_is_404(self):
        self.assertEqual(self.call("GET", "/nowhere")[0], 404)

"""People join the library."""

from tests.support import DeskTest, setUpModule  # noqa: F401


class MembersTest(DeskTest):
    def test_a_member_is_found_again(self):
        member = self.member("Bo", "bo@example.org")
        self.assertEqual(self.call("GET", f"/members/{member}")[1]["name"], "Bo")

    def test_one_address_joins_once(self):
        self.member(email="ana@example.org")
        self.assertEqual(self.call("POST", "/members", {"name": "Ana", "email": "ana@example.org"})[0], 409)

    def test_an_address_with_a_tag_is_welcome(self):
        status, member = self.call("POST", "/members", {"name": "Cy", "email": "cy+tools@example.org"})
        self.assertEqual((status, member.get("email")), (200, "cy+tools@example.org"))

    def test_an_unknown_member_is_404(self):
        self.assertEqual(self.call("GET", "/members/999999999")[0], 404)

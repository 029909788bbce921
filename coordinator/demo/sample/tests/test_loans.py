"""Tools go out and come back."""

from tests.support import DeskTest, setUpModule  # noqa: F401


class LoansTest(DeskTest):
    def test_a_loan_is_in_the_book(self):
        member = self.member()
        loan = self.loan(member=member)
        self.assertIn(loan, [row["id"] for row in self.call("GET", "/loans")[1]])
        self.assertEqual([row["id"] for row in self.call("GET", f"/members/{member}/loans")[1]], [loan])

    def test_a_tool_that_is_out_cannot_be_lent(self):
        tool, member = self.tool(), self.member()
        self.loan(tool=tool, member=member)
        self.assertEqual(self.call("POST", "/loans", {"tool_id": tool, "member_id": member})[0], 409)

    def test_a_tool_that_came_back_can_be_lent_again(self):
        tool, member = self.tool(), self.member()
        loan = self.loan(tool=tool, member=member)
        self.assertEqual(self.call("POST", f"/loans/{loan}/return")[0], 200)
        self.assertEqual(self.call("POST", "/loans", {"tool_id": tool, "member_id": member})[0], 200)

    def test_a_loan_is_given_back_once(self):
        loan = self.loan()
        self.call("POST", f"/loans/{loan}/return")
        self.assertEqual(self.call("POST", f"/loans/{loan}/return")[0], 409)

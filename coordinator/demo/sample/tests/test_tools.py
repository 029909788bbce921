"""Tools come into the library and are found again."""

from tests.support import DeskTest, setUpModule  # noqa: F401


class ToolsTest(DeskTest):
    def test_a_new_tool_is_listed(self):
        self.tool("Belt sander")
        self.assertIn("Belt sander", [tool["name"] for tool in self.call("GET", "/tools")[1]])

    def test_a_tool_tells_whether_it_is_out(self):
        tool = self.tool()
        self.assertFalse(self.call("GET", f"/tools/{tool}")[1]["out"])
        self.loan(tool=tool)
        self.assertTrue(self.call("GET", f"/tools/{tool}")[1]["out"])

    def test_a_tool_needs_a_name(self):
        self.assertEqual(self.call("POST", "/tools", {"category": "garden"}), (400, {"error": "name is missing"}))

    def test_an_unknown_tool_is_404(self):
        self.assertEqual(self.call("GET", "/tools/999999999")[0], 404)

import json

from coordinator.entrypoints.log_view import LogView, prefix


def line(text: str) -> str:
    return json.dumps({"type": "item.completed", "item": {"type": "agent_message", "text": text}}) + "\n"


def test_lines_are_words_with_their_issue_in_front(tmp_path) -> None:
    folder = tmp_path / "x-1"
    folder.mkdir()
    (folder / "1.log").write_text(line("first\nsecond") + '{"type":"turn.started"}\nplain words\n' + line("a" * 300))
    (folder / "2.log").write_text('{"type":"item.comp')
    view = LogView(tmp_path, "x-1", whole=False, colour=False)
    assert list(view.news()) == [
        "[x-1 #1] first … 1 more lines",
        "[x-1 #1] plain words",
        "[x-1 #1] " + "a" * 200,
    ]
    (folder / "2.log").write_text(line("later"))
    assert list(view.news()) == ["[x-1 #2] later"]
    assert list(view.news()) == []


def test_whole_lines_and_unfinished_ones_are_shown_on_request(tmp_path) -> None:
    folder = tmp_path / "x-1"
    folder.mkdir()
    (folder / "1.log").write_text(line("first\n" + "b" * 300) + "cut o")
    view = LogView(tmp_path, "x-1", whole=True, colour=False)
    assert list(view.news(last=True)) == ["[x-1 #1] first", "[x-1 #1] " + "b" * 300, "[x-1 #1] cut o"]


def test_each_issue_keeps_its_colour() -> None:
    assert prefix("x-1", "2", colour=True) == prefix("x-1", "2", colour=True) != "[x-1 #2]"
    assert "[x-1 #2]" in prefix("x-1", "2", colour=True)

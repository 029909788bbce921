"""What commits tell: which files belong to an issue, which files are hot, what was known when."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.scopes.history import Commit, History
from analyzer.scopes.words import terms


def commit(number, message, *files):
    return Commit(f"{number:040x}", float(number), message, tuple(files))


def test_an_id_counts_as_a_whole_token_with_or_without_a_mark():
    history = History.of(
        [
            commit(1, "Add login (app-1)", "login.py"),
            commit(2, "bd-app-1: more", "session.py"),
            commit(3, "app-12 and xapp-1, app-1.2", "other.py"),
            commit(4, "Closes APP-1.", "upper.py"),
        ]
    )
    assert history.files_of("app-1") == {"login.py", "session.py", "upper.py"}
    assert history.files_of("app-1.2") == {"other.py"}
    assert history.files_of("app") == frozenset()


def test_a_long_prefix_may_be_cited_by_its_last_part():
    history = History.of([commit(1, "fix: retry [bd-k3x]", "retry.py")], {"my-project-k3x": ""})
    assert history.files_of("my-project-k3x") == {"retry.py"}
    both = History.of([commit(1, "fix: retry [bd-k3x]", "retry.py")], {"my-project-k3x": "", "bd-k3x": ""})
    assert both.files_of("my-project-k3x") == frozenset()


def test_releases_and_reformattings_belong_to_no_issue():
    many = " ".join(f"app-{n}" for n in range(6))
    history = History.of([commit(1, many, "notes.md"), commit(2, "app-0", *(f"f{n}" for n in range(101)))])
    assert history.files_of("app-0") == frozenset()


def test_the_past_knows_only_what_was_before_it():
    history = History.of([commit(3, "app-1", "late.py"), commit(1, "app-1", "early.py")])
    assert history.before(2).files_of("app-1") == {"early.py"}
    assert len(history.before(2)) == 1
    assert [one.time for one in history.commits] == [1.0, 3.0]
    assert list(history.before(2).touches("late.py")) == []


def test_hot_files_are_those_of_many_issues_and_of_commits_without_any():
    commits = [commit(n, f"app-{n}: x", "hub.py", f"own{n}.py") for n in range(10)]
    texts = {f"app-{n}": "" for n in range(10)}
    assert History.of(commits, texts).hot_files(0.5) == {"hub.py"}
    assert History.of(commits).hot_files(0.5) == {"hub.py"}
    assert History.of(commits[:2], texts).hot_files(0.5) == frozenset(), "two touches make nothing hot"
    assert History.of([]).hot_files(0.05) == frozenset()


def test_similar_texts_come_best_first_and_only_from_the_past():
    history = History.of(
        [
            commit(1, "app-1 retry the upload with backoff", "upload.py"),
            commit(2, "app-2 paint the button", "button.css"),
            commit(3, "retry backoff jitter", "jitter.py"),
        ],
        {"app-1": "Upload retries with exponential backoff", "app-2": "Button colour"},
    )
    query = dict.fromkeys(terms("upload retry backoff"), 1.0)
    assert history.similar_commits(query, 2)[0][0] == 0
    assert [number for number, _ in history.before(3).similar_commits(query, 5)] == [0]
    assert history.similar_issues(query, 5)[0][0] == "app-1"


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["app-1", "app-2", "no id"])), max_size=12),
    st.integers(0, 21),
)
def test_a_cut_history_equals_one_made_of_the_earlier_commits(entries, moment):
    commits = [commit(time, name, f"{place}.py") for place, (time, name) in enumerate(entries)]
    cut = History.of(commits, {"app-1": "one"}).before(moment)
    fresh = History.of([one for one in commits if one.time < moment], {"app-1": "one"})
    for issue in ("app-1", "app-2"):
        assert cut.files_of(issue) == fresh.files_of(issue)
    assert cut.hot_files(0.1) == fresh.hot_files(0.1)
    assert cut.similar_commits({"app": 1.0}, 5) == fresh.similar_commits({"app": 1.0}, 5)

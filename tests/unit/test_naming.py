"""Names of databases and roles: readable, never too long, never the same for two slots."""

from hypothesis import given, settings
from hypothesis import strategies as st

from resources.databases.naming import LIMIT, fitted, owner_name, slot_names, slug, template_name


def test_a_name_reads_like_project_and_slot():
    assert slot_names("meal-planner", "wt-1", "owner")[0] == "meal_planner_wt_1"
    assert slot_names("Meal Planner", "pool-wt-12", "owner")[0] == "meal_planner_wt_12"
    assert slot_names("app", "7", "owner")[0] == "app_7"


def test_the_second_name_tells_owners_and_slots_apart():
    seconds = {slot_names("app", slot, owner)[1] for slot in ("wt-1", "pool-wt-1") for owner in ("one", "two")}
    assert len(seconds) == 4


def test_a_name_never_starts_with_a_digit_and_is_never_empty():
    assert slug("3d-shop") == "db_3d_shop"
    assert slug("") == "db"
    assert slug("Käse") == "kase"


def test_texts_without_a_latin_letter_stay_apart():
    assert slug("食事") != slug("計画")


def test_long_names_that_share_a_beginning_stay_apart():
    one, two = fitted("a" * 80 + "1"), fitted("a" * 80 + "2")
    assert one != two
    assert len(one) == len(two) == LIMIT


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(min_size=1, max_size=200), st.text(max_size=50))
def test_every_name_needs_no_quotes_and_fits(prefix, slot, owner):
    names = [*slot_names(prefix, slot, owner), owner_name(prefix, owner), template_name(prefix, "0a" * 16, "ffffff")]
    for name in names:
        assert len(name.encode()) <= LIMIT
        assert name[0].isalpha()
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")

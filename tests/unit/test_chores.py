"""What the stock of databases needs: decided from what stands on the server."""

from resources.databases.chores import KEEP_SECONDS, chores
from resources.databases.values import Found

NOW = 10 * KEEP_SECONDS


def thing(kind, name, key="k1", slot=None, **mark):
    kinds = {"database": "slot"}
    return Found(kind, name, slot, 0, {"kind": kinds.get(kind, kind), "key": key, **mark})


SLOT = thing("database", "wt_1", slot="wt-1")


def test_spares_are_made_of_the_template_lent_last():
    found = [SLOT, thing("template", "t1"), thing("template", "t2", "k2"), thing("spare", "s1", "k2")]
    todo = chores(found, {"k1": NOW - 9, "k2": NOW}, 2, NOW)
    assert (todo.key, todo.make, todo.surplus) == ("k2", 1, ())


def test_spares_of_the_template_lent_before_stay_and_older_ones_go():
    found = [SLOT, *(thing("template", f"t{n}", f"k{n}") for n in (1, 2, 3))]
    found += [thing("spare", f"s{n}", f"k{n}") for n in (1, 2, 3)] + [thing("spare", "extra", "k3")]
    todo = chores(found, {"k1": 1, "k2": NOW - 1, "k3": NOW}, 1, NOW)
    assert todo.surplus == ("s1", "extra")


def test_a_project_without_slots_needs_no_spares():
    todo = chores([thing("template", "t1"), thing("spare", "s1")], {"k1": NOW}, 2, NOW)
    assert (todo.make, todo.surplus) == (0, ("s1",))


def test_what_was_retired_is_dropped_even_when_dropping_it_was_interrupted():
    half = Found("half-dropped", "r2", None, 0, {"kind": "retired"})
    assert chores([thing("retired", "r1"), half, SLOT], {}, 0, NOW).drop == ("r1", "r2")


def test_a_template_goes_when_it_is_old_unused_and_not_among_the_newest():
    used = {f"k{n}": NOW - n * KEEP_SECONDS for n in range(5)}
    found = [thing("template", f"t{n}", f"k{n}") for n in range(5)]
    assert chores(found, used, 0, NOW).templates == ("k2", "k3", "k4")
    assert chores([*found, thing("database", "wt", "k3", "wt")], used, 0, NOW).templates == ("k2", "k4")
    assert chores(found, used | {"k3": NOW - 60, "k4": NOW - 50}, 0, NOW).templates == ("k2",)


def test_what_is_unfinished_is_no_template_and_told_apart():
    found = [
        Found("template", "b", None, 0, {"kind": "build", "key": "k9"}),
        Found("template", "u", None, 0, {"kind": "app"}),
    ]
    todo = chores([SLOT, *found], {}, 2, NOW)
    assert (todo.make, todo.wrecks) == (0, (("b", "k9"), ("u", "")))

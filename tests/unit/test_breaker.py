from coordinator.running.breaker import BELIEVED, LONGEST, Breaker, trip


def test_closed_it_stands_in_nobodys_way() -> None:
    assert Breaker().room(0.0, 9) is None


def test_open_nobody_starts_then_one_tries() -> None:
    opened = trip(Breaker(), 100.0, "quota", first=60.0)
    assert (opened.until, opened.is_open(159.0), opened.why) == (160.0, True, "quota")
    assert opened.room(159.0, 0) == 0
    assert opened.room(160.0, 0) == 1
    assert opened.room(160.0, 1) == 0


def test_those_that_were_at_work_bring_no_news_but_a_refused_probe_doubles_the_wait() -> None:
    opened = trip(Breaker(), 0.0, "quota", first=60.0)
    assert trip(opened, 30.0, "quota", first=60.0).strikes == 1
    again = trip(opened, 60.0, "quota", first=60.0)
    assert (again.strikes, again.until) == (2, 180.0)
    for _ in range(20):
        again = trip(again, again.until, "quota", first=60.0)
    before = again.until
    assert trip(again, before, "quota", first=60.0).until - before == LONGEST


def test_the_programs_own_word_counts_within_reason() -> None:
    assert trip(Breaker(), 0.0, "quota", first=60.0, until=3600.0).until == 3600.0
    assert trip(Breaker(), 0.0, "quota", first=60.0, until=1e9).until == BELIEVED
    assert trip(Breaker(), 100.0, "quota", first=60.0, until=50.0).until == 160.0

"""When is it too much? Thresholds, derived ones, and what is not known."""

from dataclasses import replace

import pytest

from resources.monitor.limits import GB, Reading, judge, worst
from resources.monitor.values import Usage
from resources.settings import Limits

QUIET = Usage(at=0.0, connections_total=3, connections_usable=97, disk_used=GB, memory_ratio=0.4)


def levels(usage):
    return {reading.resource: reading.level for reading in judge(usage, Limits())}


def test_a_quiet_project_is_ok_everywhere():
    assert set(levels(QUIET).values()) == {"ok"}
    assert worst(judge(QUIET, Limits())) == "ok"


@pytest.mark.parametrize(
    ("change", "resource", "level"),
    [
        ({"connections_total": 40}, "connections", "warn"),
        ({"connections_total": 39}, "connections", "ok"),
        ({"connections_total": 50}, "connections", "critical"),
        ({"disk_used": int(2.8 * GB)}, "disk", "warn"),
        ({"disk_used": 3 * GB}, "disk", "critical"),
        ({"descriptors_ratio": 0.8}, "descriptors", "warn"),
        ({"descriptors_ratio": 0.95}, "descriptors", "critical"),
        ({"memory_ratio": 0.9}, "memory", "warn"),
    ],
)
def test_a_threshold_counts_from_its_very_value(change, resource, level):
    assert levels(replace(QUIET, **change))[resource] == level


def test_a_small_server_lowers_the_thresholds():
    crowded = replace(QUIET, connections_total=16, connections_usable=20)
    reading = next(reading for reading in judge(crowded, Limits()) if reading.resource == "connections")
    assert (reading.warn, reading.critical, reading.level) == (16.0, 19.0, "warn")


def test_what_is_not_known_has_no_reading():
    blind = Usage(at=0.0)
    assert set(levels(blind)) == {"descriptors", "memory"}


def test_slots_in_quarantine_warn_and_none_left_is_critical():
    assert levels(replace(QUIET, slots={"idle": 3, "leased": 1}))["pool"] == "ok"
    assert levels(replace(QUIET, slots={"idle": 3, "quarantine": 1}))["pool"] == "warn"
    assert levels(replace(QUIET, slots={"quarantine": 2}))["pool"] == "critical"


def test_the_worst_level_wins_and_readings_survive_json():
    readings = judge(replace(QUIET, disk_used=3 * GB, memory_ratio=0.9), Limits())
    assert worst(readings) == "critical"
    assert worst([]) == "ok"
    assert tuple(Reading.of(reading.to_json()) for reading in readings) == readings

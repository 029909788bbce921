"""The ledger on a full disk and on one that cannot be written: it says so, loses nothing, and goes on afterwards."""

import pytest

from resources.state import leases
from resources.state.sqlite import SqliteLedger
from resources.system.errors import Failure
from tests.support.disks import small_disk


def take(ledger, name):
    with ledger.write() as tx:
        return leases.take(tx, "issue", name, agent="amber", issue=name).fence


def take_many(ledger, fences):
    for number in range(5, 200):
        fences.append(take(ledger, f"i{number}"))


def held(ledger):
    with ledger.read() as snapshot:
        return [row["fence"] for row in snapshot.all("leases-live")]


def test_a_full_disk_is_named_and_what_was_acknowledged_stays(tmp_path):
    with small_disk(tmp_path / "a disk") as disk:
        ledger = SqliteLedger.create(disk.folder / "state")
        fences = [take(ledger, f"i{number}") for number in range(5)]
        disk.fill()
        with pytest.raises(Failure) as failure:
            take_many(ledger, fences)
        assert failure.value.reference == "disk-full"
        assert "free some space" in failure.value.mend
        assert held(ledger) == fences, "reading goes on"
        disk.free()
        fences.append(take(ledger, "one more"))
        ledger.close()
        again = SqliteLedger(disk.folder / "state")
        assert held(again) == fences
        again.close()


def test_no_ledger_is_made_on_a_full_disk_and_none_is_half_made(tmp_path):
    with small_disk(tmp_path / "a disk") as disk:
        disk.fill()
        with pytest.raises(Failure) as failure:
            SqliteLedger.create(disk.folder / "state")
        assert failure.value.reference == "disk-full"
        disk.free()
        SqliteLedger.create(disk.folder / "state").close()


def test_a_disk_that_cannot_be_written_is_named(tmp_path):
    with small_disk(tmp_path / "a disk") as disk:
        ledger = SqliteLedger.create(disk.folder / "state")
        fence = take(ledger, "i1")
        ledger.close()
        disk.writable(False)
        with pytest.raises(Failure) as failure:
            SqliteLedger(disk.folder / "state")
        assert failure.value.reference == "read-only"
        disk.writable(True)
        again = SqliteLedger(disk.folder / "state")
        assert held(again) == [fence]
        again.close()

"""Read one part of an export: a child of the Map in verify_backup."""

from selfright.domain.backup.steps import PartRead, PartToRead
from selfright.edge.room import room
from selfright.usecases.read_part import read_part
from selfright.wiring import house


@room(PartToRead, calls=lambda: house().aws.calls)
def handler(asked: PartToRead) -> PartRead:
    home = house()
    return read_part(
        asked,
        workloads=home.workloads,
        exports=home.exports,
        results=home.part_results,
        tests=home.restore_tests,
    )

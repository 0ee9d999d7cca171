"""Answer AWS Backup's restore testing: does what it restored make sense to the application?"""

from __future__ import annotations

from collections.abc import Mapping

from selfright.backup_ports import RestoredItems, RestoreJobs, TableBackups
from selfright.domain.backup.invariants import watch
from selfright.domain.backup.restore_job import RESTORED, Validated, validated
from selfright.domain.manifest import Workload

LOOKED_AT = 20_000  # items: some MB, read within a minute


def validate_restore(
    job_id: str,
    *,
    workloads: Mapping[str, Workload],
    backups: TableBackups,
    items: RestoredItems,
    jobs: RestoreJobs,
) -> Validated:
    """The job is read anew: the event only names it. Answered once; what cannot be read is not answered.

    Raises NotFoundError where there is no such job or table, RefusedError, SourceDownError.
    """
    job = jobs.find(job_id)
    if not job.of_a_test or job.status != "COMPLETED" or job.answered:
        why = "has its answer" if job.answered else f"is {job.status} and no completed restore test"
        return Validated(job=job.id, message=f"job {job.id} {why}")
    known = {
        workload.resource(key).name: policy
        for workload in workloads.values()
        for key, policy in workload.backup.tables.items()
    }
    if job.source not in known or not (job.created or "").startswith(RESTORED):
        told = f"{job.source} is no table under backup.tables, or {job.created} is no restored one"
        return Validated(job=job.id, message=told)
    assert job.created  # noqa: S101 - it begins with RESTORED
    keys = backups.keys(job.source), backups.keys(job.created)
    rules = known[job.source].invariants
    names = [key.partition(" ")[0] for key in keys[1]]
    found = validated(job, keys, rules, watch(items.some(job.created, LOOKED_AT), rules, names))
    if found.status:
        jobs.answer(job.id, found.status, found.message)
    return found

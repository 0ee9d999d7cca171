"""Build a whole workload anew in another account or region from its last full backup, and prove it whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selfright.domain.backup.catalogue import PointKind, RecoveryPoint
from selfright.domain.errors import BusyError, NotFoundError, RefusedError
from selfright.domain.manifest import LambdaFunction, Workload
from selfright.domain.recovery.record import Act, Recovery, Status
from selfright.domain.recovery.settings import ALARM, left_in, settings_in
from selfright.domain.recovery.steps import RecoverWord
from selfright.domain.recovery.template import Account, Code, moved, names_of, rebuilt
from selfright.restoring_ports import Elsewhere, KeptState
from selfright.usecases.recovery_desk import POLL_SECONDS, Desk

FAILED = ("ROLLBACK", "FAILED", "DELETE")


@dataclass(frozen=True)
class _Backup:
    """One full backup: its points by kind and source, and whose it was."""

    workload: Workload
    points: dict[tuple[PointKind, str], RecoveryPoint]
    kept: KeptState

    def read(self, kind: PointKind, source: str) -> Any:
        point = self.points.get((kind, source))
        if point is None:
            raise RefusedError(f"the backup holds no {kind} of {source}")
        return json.loads(self.kept.read(point))

    def of_kind(self, kind: PointKind) -> dict[str, RecoveryPoint]:
        return {source: point for (one, source), point in self.points.items() if one is kind}


def rebuild_workload(
    recovery_id: str, *, desk: Desk, kept: KeptState, elsewhere: Callable[[Account, str], Elsewhere]
) -> RecoverWord:
    """Take the next step in the other account. Nothing is changed in this one.

    `elsewhere` opens the other account for a recovery. Raises NotFoundError where there is no such recovery,
    SourceDownError.
    """
    recovery = desk.open(recovery_id)
    step, target = recovery.step, recovery.asked.target
    if step is None or step.act.room != "workload" or target is None:
        return desk.word(recovery)
    try:
        if recovery.looked_at is None:
            return _look(recovery, desk, kept)
        if against := desk.against(recovery):
            return desk.stop(recovery, against)
        backup = _backup(recovery, desk, kept)
        partition = Account.of(recovery.execution).partition
        there = elsewhere(Account(partition, target.account, target.region), recovery.id)
        take = {
            Act.BUILD_STACK: _build,
            Act.FILL_TABLES: _fill,
            Act.PUT_BACK_SETTINGS: _put_back,
            Act.CHECK_WORKLOAD: _check,
        }[step.act]
        return take(recovery, backup, there, desk)
    except BusyError:
        return desk.word(recovery, POLL_SECONDS)
    except (RefusedError, NotFoundError) as refused:
        return desk.stop(recovery, (str(refused),))


def _look(recovery: Recovery, desk: Desk, kept: KeptState) -> RecoverWord:
    asked, now, target = recovery.asked, desk.clock.now(), recovery.asked.target
    here = Account.of(recovery.execution)
    if target and (target.account, target.region) == (here.account, here.region):
        return desk.stop(recovery, ("target: must be another account or region",), Status.REFUSED)
    point = kept.newest(
        asked.workload, asked.environment, PointKind.SYSTEM_STATE, asked.workload, recovery.point or now
    )
    if point is None:
        none = f"no full backup is kept from {recovery.point} or before that can be read at once"
        return desk.stop(recovery, (none,), Status.REFUSED)
    points = _points(json.loads(kept.read(point)))
    oldest = min(each.taken_at for each in points.values())
    buckets = [key for kind, key in points if kind is PointKind.OBJECT_INVENTORY]
    left = [f"objects of {key} (only listed: replicate the bucket)" for key in buckets]
    configuration = points.get((PointKind.CONFIGURATION, asked.workload))
    if configuration:
        left += left_in(json.loads(kept.read(configuration)))
    return desk.save(recovery.but(looked_at=now, state_at=oldest, kept=point, left_to_people=tuple(left)))


def _backup(recovery: Recovery, desk: Desk, kept: KeptState) -> _Backup:
    if recovery.kept is None:
        raise RefusedError("no backup was chosen")
    points = _points(json.loads(kept.read(recovery.kept)))
    return _Backup(desk.workloads[recovery.asked.workload], points, kept)


def _points(manifest: dict[str, Any]) -> dict[tuple[PointKind, str], RecoveryPoint]:
    found = [RecoveryPoint.model_validate(each) for each in manifest["points"]]
    return {(point.kind, point.source): point for point in found}


def _build(recovery: Recovery, backup: _Backup, there: Elsewhere, desk: Desk) -> RecoverWord:
    """Every stack of the manifest, one after the other, under its own name."""
    old = Account.of(recovery.execution)
    for stack in backup.workload.sources.stacks:
        status = there.stack_status(stack)
        if status is None:
            kept = backup.read(PointKind.TEMPLATE, stack)
            parameters = {name: value for name, value in kept["parameters"].items() if value is not None}
            names = names_of(there.where, stack, parameters)
            template = rebuilt(
                _json(kept["processed"], stack),
                names,
                _staged(backup, there, recovery.id),
                _definitions(backup, old, there.where),
            )
            tags = {tag["Key"]: tag["Value"] for tag in kept["stack"].get("Tags", ())}
            there.create_stack(stack, json.dumps(template, separators=(",", ":")), parameters, tags)
            return desk.word(recovery, POLL_SECONDS)
        if any(word in status for word in FAILED):
            return desk.stop(recovery, (f"stack {stack} there: {status}",))
        if status != "CREATE_COMPLETE":
            return desk.word(recovery, POLL_SECONDS)
    return desk.done(
        recovery, Act.BUILD_STACK, f"stacks {', '.join(backup.workload.sources.stacks)} are built"
    )


def _json(template: str, stack: str) -> dict[str, Any]:
    """What a transform (SAM) made is JSON; a template without one is as people wrote it, which may be YAML."""
    try:
        parsed: dict[str, Any] = json.loads(template)
    except ValueError:
        raise RefusedError(f"the template of {stack} is YAML: people build it by hand") from None
    return parsed


def _staged(backup: _Backup, there: Elsewhere, recovery: str) -> dict[str, Code]:
    """Every kept package, copied to a bucket of the other account: CloudFormation reads none of ours there."""
    return {
        backup.workload.resource(source).name: there.stage(
            f"{recovery}/{source}.zip", backup.kept.read(point)
        )
        for source, point in backup.of_kind(PointKind.FUNCTION_CODE).items()
    }


def _definitions(backup: _Backup, old: Account, new: Account) -> dict[str, str]:
    return {
        backup.workload.resource(source).name: moved(
            backup.read(PointKind.STATE_MACHINE, source)["definition"], old, new
        )
        for source in backup.of_kind(PointKind.STATE_MACHINE)
    }


def _fill(recovery: Recovery, backup: _Backup, there: Elsewhere, desk: Desk) -> RecoverWord:
    """All tables in one call: docs/recover.md says how large they may be."""
    filled = 0
    for source, point in backup.of_kind(PointKind.TABLE_EXPORT).items():
        filled += there.fill(backup.workload.resource(source).name, backup.kept.items(point))
    return desk.done(recovery, Act.FILL_TABLES, f"{filled} items put in")


def _put_back(recovery: Recovery, backup: _Backup, there: Elsewhere, desk: Desk) -> RecoverWord:
    """Values that were changed since the template was written. Alarms name their account: those of the stack stand."""
    snapshot = backup.read(PointKind.CONFIGURATION, recovery.asked.workload)
    count = 0
    for setting in settings_in(snapshot):
        if setting.kind != ALARM and there.board.read(setting) != setting.value:
            there.board.write(setting)
            count += 1
    return desk.done(recovery, Act.PUT_BACK_SETTINGS, f"{count} settings put back")


def _check(recovery: Recovery, backup: _Backup, there: Elsewhere, desk: Desk) -> RecoverWord:
    wrong = []
    for source, point in backup.of_kind(PointKind.TABLE_EXPORT).items():
        if there.missing(backup.workload.resource(source).name, backup.kept.items(point)):
            wrong.append(f"table {source}")
    for source, point in backup.of_kind(PointKind.FUNCTION_CODE).items():
        function = backup.workload.resource(source)
        if isinstance(function, LambdaFunction):
            sha = there.code_sha256(function.name, function.alias)
            wrong += [f"code of {source}"] if sha != point.details["code_sha256"] else []
    snapshot = backup.read(PointKind.CONFIGURATION, recovery.asked.workload)
    wrong += [
        str(each)
        for each in settings_in(snapshot)
        if each.kind != ALARM and there.board.read(each) != each.value
    ]
    alarms = {each.name for each in settings_in(snapshot) if each.kind == ALARM}
    wrong += [f"alarm {name}" for name in sorted(alarms - there.alarms(alarms))]
    if wrong:
        return desk.stop(recovery, (f"not as they were: {', '.join(wrong[:8])}",))
    return desk.done(recovery, Act.CHECK_WORKLOAD, "items, code, settings and alarms are as they were")

"""The only place that knows everyone: builds what a room needs, once, when it is first asked for."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from selfright.adapters.aws import Aws
from selfright.adapters.clock import SystemClock
from selfright.edge.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfright.backup_ports import (
        CopiedItems,
        EvidenceBucket,
        Executions,
        PartResults,
        RestoredItems,
        RestoreJobs,
        RestoreTests,
        Sentinels,
        TableBackups,
        TableExports,
    )
    from selfright.domain.manifest import Workload
    from selfright.domain.runbook import Runbook, Shelf
    from selfright.ports import (
        Alarms,
        Channels,
        Deployments,
        FlagBoard,
        Functions,
        History,
        IncidentStore,
        Leases,
        Logs,
        Messenger,
        ReleaseLedger,
        ScalingTargets,
        SwitchBoard,
        Tables,
        Versions,
        Workflows,
    )


class House:
    """Every port, filled with AWS. Imports stand inside the properties: a cold start pays for what it uses."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.aws = Aws()
        self.clock = SystemClock()

    @cached_property
    def workloads(self) -> Mapping[str, Workload]:
        from selfright.adapters.snapshots import read_snapshot

        found = read_snapshot(self.settings.content, self.settings.environment)
        if found is None:
            from selfright.adapters.manifest_files import load_workloads

            found = load_workloads(self.settings.content / "workloads", self.settings.environment)
        return {w.workload: w for w in found}

    @cached_property
    def runbooks(self) -> Mapping[str, Runbook]:
        from selfright.adapters.snapshots import RUNBOOKS, read_snapshot

        found = read_snapshot(self.settings.content, RUNBOOKS)
        if found is None:
            from selfright.adapters.runbook_files import load_runbooks

            found = load_runbooks(self.settings.content / "runbooks")
        return {r.id: r for r in found}

    @cached_property
    def shelf(self) -> Shelf:
        from selfright.domain.runbook import Shelf

        return Shelf(self.runbooks.values())

    @cached_property
    def store(self) -> IncidentStore:
        from selfright.adapters.ledger import DynamoDBIncidentStore

        return DynamoDBIncidentStore(self.aws, self.settings.need("table"))

    @cached_property
    def history(self) -> History:
        from selfright.adapters.history import DynamoDBHistory

        return DynamoDBHistory(self.aws, self.settings.need("table"))

    @cached_property
    def leases(self) -> Leases:
        from selfright.adapters.leases import DynamoDBLeases

        return DynamoDBLeases(self.aws, self.settings.need("table"))

    @cached_property
    def workflows(self) -> Workflows:
        from selfright.adapters.workflows import StepFunctionsWorkflows

        return StepFunctionsWorkflows(self.aws, self.settings.need("respond_arn"), self.settings.undo_arn)

    @cached_property
    def releases(self) -> ReleaseLedger:
        from selfright.adapters.releases import DynamoDBReleaseLedger

        return DynamoDBReleaseLedger(self.aws, self.settings.need("table"))

    @cached_property
    def deployments(self) -> Deployments:
        from selfright.adapters.workflows import StepFunctionsDeployments

        return StepFunctionsDeployments(self.aws, self.settings.need("deploy_arn"))

    @cached_property
    def versions(self) -> Versions:
        from selfright.adapters.versions import LambdaVersions

        return LambdaVersions(self.aws)

    @cached_property
    def messenger(self) -> Messenger:
        from selfright.adapters.messenger import SnsMessenger

        return SnsMessenger(self.aws, self.settings.need("alerts_topic_arn"))

    @cached_property
    def alarms(self) -> Alarms:
        from selfright.adapters.alarms import CloudWatchAlarms

        return CloudWatchAlarms(self.aws)

    @cached_property
    def switches(self) -> SwitchBoard:
        from selfright.adapters.switches import AppConfigSwitchBoard

        where = (self.settings.need(f"switch_{name}") for name in ("application", "environment", "profile"))
        return AppConfigSwitchBoard(self.aws, *where)

    @cached_property
    def channels(self) -> Channels:
        from selfright.adapters.channels import ManifestChannels

        return ManifestChannels(self.aws, self.settings.need("alerts_topic_arn"))

    @cached_property
    def tables(self) -> Tables:
        from selfright.adapters.tables import DynamoDBTables

        return DynamoDBTables(self.aws)

    @cached_property
    def scaling(self) -> ScalingTargets:
        from selfright.adapters.scaling import TableScalingTargets

        return TableScalingTargets(self.aws)

    @cached_property
    def functions(self) -> Functions:
        from selfright.adapters.functions import LambdaFunctions

        return LambdaFunctions(self.aws)

    @cached_property
    def logs(self) -> Logs:
        from selfright.adapters.logs import CloudWatchLogs

        return CloudWatchLogs(self.aws)

    @cached_property
    def flags(self) -> FlagBoard:
        from selfright.adapters.flags import AppConfigFlagBoard

        return AppConfigFlagBoard(self.aws, self.settings.need("flag_strategy"))

    @cached_property
    def backups(self) -> TableBackups:
        from selfright.adapters.table_backups import DynamoDBTableBackups

        return DynamoDBTableBackups(self.aws)

    @cached_property
    def exports(self) -> TableExports:
        from selfright.adapters.table_exports import S3TableExports

        return S3TableExports(self.aws, self.settings.need("evidence_bucket"))

    @cached_property
    def part_results(self) -> PartResults:
        from selfright.adapters.part_results import S3PartResults

        return S3PartResults(self.aws, self.settings.need("evidence_bucket"))

    @cached_property
    def copied_items(self) -> CopiedItems:
        from selfright.adapters.restore_tests import DynamoDBCopiedItems

        return DynamoDBCopiedItems(self.aws)

    @cached_property
    def restore_jobs(self) -> RestoreJobs:
        from selfright.adapters.restore_jobs import BackupRestoreJobs

        return BackupRestoreJobs(self.aws)

    @cached_property
    def restored_items(self) -> RestoredItems:
        from selfright.adapters.restore_jobs import DynamoDBRestoredItems

        return DynamoDBRestoredItems(self.aws)

    @cached_property
    def sentinels(self) -> Sentinels:
        from selfright.adapters.restore_tests import DynamoDBSentinels

        return DynamoDBSentinels(self.aws)

    @cached_property
    def restore_tests(self) -> RestoreTests:
        from selfright.adapters.restore_tests import DynamoDBRestoreTests

        return DynamoDBRestoreTests(self.aws, self.settings.need("table"))

    @cached_property
    def executions(self) -> Executions:
        from selfright.adapters.workflows import StepFunctionsExecutions

        return StepFunctionsExecutions(self.aws, self.settings.need("verify_backup_arn"))

    @cached_property
    def evidence(self) -> EvidenceBucket:
        from selfright.adapters.restore_tests import S3EvidenceBucket

        return S3EvidenceBucket(self.aws, self.settings.need("evidence_bucket"))


@cache
def house() -> House:
    """The one house of this process, from its environment."""
    return House(Settings.from_environment())

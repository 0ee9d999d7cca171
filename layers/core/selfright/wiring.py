"""The only place that knows everyone: builds what a room needs, once, when it is first asked for."""

from __future__ import annotations

import os
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
    from selfright.domain.recovery.template import Account
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
        Probes,
        ReleaseLedger,
        RollBacks,
        ScalingTargets,
        SwitchBoard,
        Tables,
        Uploads,
        Versions,
        Workflows,
    )
    from selfright.recovery_ports import (
        BackupBucket,
        BackupExecutions,
        BackupRuns,
        ConfigurationChanges,
        KeptExports,
        PointInTimeRecovery,
        RecoveryPoints,
        SystemState,
    )
    from selfright.release_ports import Artifacts, Configurations, StateMachines
    from selfright.restoring_ports import (
        Drills,
        Elsewhere,
        KeptState,
        LiveItems,
        ObjectVersions,
        Recoveries,
        SettingsBoard,
    )
    from selfright.stack_ports import Stacks, Templates
    from selfright.usecases.recovery_desk import Desk


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

        return StepFunctionsDeployments(
            self.aws, self.settings.need("deploy_arn"), self.settings.roll_back_arn
        )

    @cached_property
    def uploads(self) -> Uploads:
        from selfright.adapters.uploads import S3Uploads

        return S3Uploads(self.aws)

    @cached_property
    def roll_backs(self) -> RollBacks:
        from selfright.adapters.workflows import StepFunctionsRollBacks

        return StepFunctionsRollBacks(self.aws, self.settings.need("roll_back_arn"))

    @cached_property
    def versions(self) -> Versions:
        from selfright.adapters.versions import LambdaVersions

        return LambdaVersions(self.aws)

    @cached_property
    def stacks(self) -> Stacks:
        from selfright.adapters.stacks import CloudFormationStacks

        return CloudFormationStacks(self.aws, self.settings.stack_role_arn)

    @cached_property
    def templates(self) -> Templates:
        from selfright.adapters.template_text import S3Templates

        return S3Templates(self.aws, self.settings.need("evidence_bucket"))

    @cached_property
    def artifacts(self) -> Artifacts:
        from selfright.adapters.artifacts import S3Artifacts

        return S3Artifacts(self.aws)

    @cached_property
    def configurations(self) -> Configurations:
        from selfright.adapters.configurations import AppConfigConfigurations

        return AppConfigConfigurations(self.aws, self.settings.flag_strategy)

    @cached_property
    def state_machines(self) -> StateMachines:
        from selfright.adapters.state_machines import StepFunctionsStateMachines

        return StepFunctionsStateMachines(self.aws, self.settings.need("state_machine_prefix"))

    @cached_property
    def probes(self) -> Probes:
        from selfright.adapters.probes import AwsProbes

        # Only a local AWS has an endpoint of its own.
        local = "AWS_ENDPOINT_URL" in os.environ
        return AwsProbes(self.aws, self.settings.need("state_machine_prefix"), self.clock, local=local)

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

    @cached_property
    def recovery_points(self) -> RecoveryPoints:
        from selfright.adapters.recovery_points import DynamoDBRecoveryPoints

        return DynamoDBRecoveryPoints(self.aws, self.settings.need("table"))

    @cached_property
    def configuration_changes(self) -> ConfigurationChanges:
        from selfright.adapters.recovery_points import DynamoDBConfigurationChanges

        return DynamoDBConfigurationChanges(self.aws, self.settings.need("table"))

    @cached_property
    def backup_runs(self) -> BackupRuns:
        from selfright.adapters.recovery_points import DynamoDBBackupRuns

        return DynamoDBBackupRuns(self.aws, self.settings.need("table"))

    @cached_property
    def backup_bucket(self) -> BackupBucket:
        from selfright.adapters.backup_bucket import S3BackupBucket

        return S3BackupBucket(self.aws, self.settings.need("backup_bucket"))

    @cached_property
    def kept_exports(self) -> KeptExports:
        from selfright.adapters.kept_exports import S3KeptExports

        return S3KeptExports(self.aws, self.settings.need("backup_bucket"))

    @cached_property
    def system_state(self) -> SystemState:
        from selfright.adapters.system_state import AwsSystemState

        return AwsSystemState(self.aws, self.settings.need("backup_key"))

    @cached_property
    def backup_executions(self) -> BackupExecutions:
        from selfright.adapters.workflows import StepFunctionsBackups

        return StepFunctionsBackups(self.aws, self.settings.need("back_up_arn"))

    @cached_property
    def point_in_time_recovery(self) -> PointInTimeRecovery:
        from selfright.adapters.point_in_time_recovery import DynamoDBPointInTimeRecovery

        return DynamoDBPointInTimeRecovery(self.aws)

    @cached_property
    def recovery_desk(self) -> Desk:
        from selfright.usecases.recovery_desk import Desk

        return Desk(self.workloads, self.recoveries, self.switches, self.leases, self.clock)

    @cached_property
    def recoveries(self) -> Recoveries:
        from selfright.adapters.recoveries import DynamoDBRecoveries

        return DynamoDBRecoveries(self.aws, self.settings.need("table"))

    def elsewhere(self, where: Account, recovery: str) -> Elsewhere:
        """Another account or region, with the identity that its role gives a recovery."""
        from selfright.adapters.elsewhere import AwsElsewhere, aws_elsewhere

        return AwsElsewhere(aws_elsewhere(self.aws, where, recovery), where, recovery)

    @cached_property
    def drills(self) -> Drills:
        from selfright.adapters.workflows import StepFunctionsDrills

        return StepFunctionsDrills(self.aws, self.settings.need("recover_arn"))

    @cached_property
    def live_items(self) -> LiveItems:
        from selfright.adapters.table_items import DynamoDBLiveItems

        return DynamoDBLiveItems(self.aws)

    @cached_property
    def object_versions(self) -> ObjectVersions:
        from selfright.adapters.object_versions import S3ObjectVersions

        return S3ObjectVersions(self.aws)

    @cached_property
    def settings_board(self) -> SettingsBoard:
        from selfright.adapters.settings_board import AwsSettingsBoard

        return AwsSettingsBoard(self.aws, self.settings.need("flag_strategy"))

    @cached_property
    def kept_state(self) -> KeptState:
        from selfright.adapters.recoveries import CataloguedState

        return CataloguedState(self.aws, self.settings.need("table"))


@cache
def house() -> House:
    """The one house of this process, from its environment."""
    return House(Settings.from_environment())

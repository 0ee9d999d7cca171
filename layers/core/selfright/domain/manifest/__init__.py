"""The workload manifest: what people write in workloads/<name>/, as frozen models.

`load` turns base and overlay into a `Workload` or raises ManifestError with file, field and rule.
"""

from selfright.domain.manifest.alarms import Alarm, AlarmBinding, Severity, Symptom
from selfright.domain.manifest.autonomy import Autonomy, AutonomyPolicy
from selfright.domain.manifest.backup import Backup, Invariant, TableBackup
from selfright.domain.manifest.deployment import (
    AllAtOnce,
    Canary,
    Configuration,
    Custom,
    Deployment,
    Linear,
    Strategy,
)
from selfright.domain.manifest.escalation import (
    Channel,
    ChannelType,
    Escalation,
    EscalationLevel,
    Notifications,
    SecretChannel,
    SnsChannel,
)
from selfright.domain.manifest.limits import Limits
from selfright.domain.manifest.loading import load
from selfright.domain.manifest.probes import (
    Health,
    Http,
    Invoke,
    Probe,
    SmokeHttp,
    SmokeInvoke,
    SmokeTest,
    SmokeWorkflow,
    When,
)
from selfright.domain.manifest.references import first_shared_alarm
from selfright.domain.manifest.resources import (
    Circuit,
    Concurrency,
    DynamoDBTable,
    EventBus,
    LambdaFunction,
    Resource,
    ResourceType,
    S3Bucket,
    SNSTopic,
    SQSQueue,
    StateMachine,
    TableCapacity,
)
from selfright.domain.manifest.schema import manifest_schema
from selfright.domain.manifest.settings import Settings
from selfright.domain.manifest.targets import Targets
from selfright.domain.manifest.verification import Verification
from selfright.domain.manifest.windows import Closure, Freeze, WeeklyWindow, Windows
from selfright.domain.manifest.workload import Environment, Workload

__all__ = [
    "Alarm",
    "AlarmBinding",
    "AllAtOnce",
    "Autonomy",
    "AutonomyPolicy",
    "Backup",
    "Canary",
    "Channel",
    "ChannelType",
    "Circuit",
    "Closure",
    "Concurrency",
    "Configuration",
    "Custom",
    "Deployment",
    "DynamoDBTable",
    "Environment",
    "Escalation",
    "EscalationLevel",
    "EventBus",
    "Freeze",
    "Health",
    "Http",
    "Invariant",
    "Invoke",
    "LambdaFunction",
    "Limits",
    "Linear",
    "Notifications",
    "Probe",
    "Resource",
    "ResourceType",
    "S3Bucket",
    "SNSTopic",
    "SQSQueue",
    "SecretChannel",
    "Settings",
    "Severity",
    "SmokeHttp",
    "SmokeInvoke",
    "SmokeTest",
    "SmokeWorkflow",
    "SnsChannel",
    "StateMachine",
    "Strategy",
    "Symptom",
    "TableBackup",
    "TableCapacity",
    "Targets",
    "Verification",
    "WeeklyWindow",
    "When",
    "Windows",
    "Workload",
    "first_shared_alarm",
    "load",
    "manifest_schema",
]

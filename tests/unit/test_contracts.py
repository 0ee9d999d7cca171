"""Where two files must agree: template and catalogues, state machine and errors, rooms and template, runbooks and checks."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli.template import listed
from selfright.actions import ACTIONS
from selfright.adapters.aws import Aws
from selfright.adapters.manifest_files import load_workload
from selfright.adapters.runbook_files import load_runbooks
from selfright.adapters.uploads import S3Uploads
from selfright.checks import CHECKS
from selfright.domain import errors
from selfright.domain.backup import steps as backup_steps
from selfright.domain.backup.restore_job import RESTORED
from selfright.domain.backup.restore_test import ISOLATED
from selfright.domain.backup.run import BackUpInput
from selfright.domain.errors import ChannelDownError, SelfrightError, SourceDownError
from selfright.domain.recovery.record import RECOVERED, Act
from selfright.domain.recovery.request import RecoverInput
from selfright.domain.recovery.steps import Go
from selfright.domain.release import ReleaseRequest
from selfright.domain.release.ramp import LONGEST_RELEASE, MOST_LOOKS
from selfright.domain.release.steps import ReleaseStep, RollBackInput, Then
from selfright.domain.runbook import Runbook
from selfright.domain.steps import Next, RespondInput, UndoInput
from selfright.edge.deployment_request import deployment_request
from selfright.usecases.lint_runbook import lint_runbook
from tests.unit.template import ROOT, resources, template

MACHINES: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".asl.json"): json.loads(path.read_text())
    for path in sorted((ROOT / "statemachines").glob("*.asl.json"))
}
STATES = [
    pytest.param(state, id=f"{machine}: {name}")
    for machine, definition in MACHINES.items()
    for name, state in definition["States"].items()
]
MAPS = [param for param in STATES if param.values[0]["Type"] == "Map"]  # type: ignore[index]
TASKS = [param for param in STATES if param.values[0]["Type"] == "Task"]  # type: ignore[index]
ROOMS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))


# -- (a) permissions


def statements(function: str) -> dict[str, dict[str, Any]]:
    """A function's policy statements by Sid."""
    policies = resources("AWS::Serverless::Function")[function]["Policies"]
    found = [statement for policy in policies for statement in policy.get("Statement", ())]
    assert len({s["Sid"] for s in found}) == len(found)
    return {s["Sid"]: s for s in found}


def granted(function: str, *without: str) -> set[str]:
    """The IAM actions of a function, without those of the named statements."""
    kept = [s for sid, s in statements(function).items() if sid not in without and s["Effect"] == "Allow"]
    assert set(without) <= set(statements(function))
    return {
        action for s in kept for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    }


READING = frozenset[str]().union(*(a.declaration.reading for a in ACTIONS.values()))
CHANGING = frozenset[str]().union(*(a.declaration.permissions for a in ACTIONS.values()))
UNDOING = frozenset[str]().union(*(a.declaration.undoing for a in ACTIONS.values()))
CHECKING = frozenset[str]().union(*(c.declaration.permissions for c in CHECKS.values()))
FUNCTIONS = sorted(resources("AWS::Serverless::Function"))


def test_checks_may_do_exactly_what_they_declare():
    assert granted("RunChecks", "Ledger", "LedgerIndex") == CHECKING


def test_actions_may_do_exactly_what_they_declare():
    assert granted("ApplyAction", "Ledger", "LedgerIndex", "Alarms", "Switches") == CHANGING | READING
    # What is not taken back needs no permission for it.
    lasting = frozenset[str]().union(
        *(a.declaration.permissions for a in ACTIONS.values() if not a.declaration.reversible)
    )
    assert granted("UndoAction", "Ledger") == (CHANGING - lasting) | UNDOING | READING


def test_judging_may_read_what_actions_read_and_the_alarms():
    assert granted("JudgeOutcome", "Ledger") == READING | {
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
    }


def test_both_places_that_ask_the_gates_read_the_same():
    def gates(function: str) -> dict[str, dict[str, Any]]:
        return {sid: statements(function)[sid] for sid in ("Alarms", "Switches")}

    assert gates("ChooseRunbook") == gates("ApplyAction")
    assert granted("ChooseRunbook", "Ledger", "LedgerIndex", "ReadFunctions") == {
        "cloudwatch:DescribeAlarms",
        "cloudwatch:ListAlarmMuteRules",
        "appconfig:StartConfigurationSession",
        "appconfig:GetLatestConfiguration",
    }


RELEASES = {
    "PublishRelease": {
        "lambda:UpdateFunctionCode",
        "lambda:PublishVersion",
        "states:UpdateStateMachine",
        "states:PublishStateMachineVersion",
    },
    "ChangeStack": {"cloudformation:ExecuteChangeSet"},
    "RestoreStack": {"cloudformation:ExecuteChangeSet", "cloudformation:ContinueUpdateRollback"},
    "ShiftTraffic": {"lambda:UpdateAlias", "states:UpdateStateMachineAlias"},
    "RollBackRelease": {"lambda:UpdateAlias", "states:UpdateStateMachineAlias"},
    "ConfigureRelease": {"appconfig:CreateHostedConfigurationVersion", "appconfig:StartDeployment"},
    "RestoreConfiguration": {"appconfig:StartDeployment", "appconfig:StopDeployment"},
}


# Gets back what was lost; what overwrites something live needs a second person's approval (domain/recovery/planning.py).
RECOVERIES = {
    "RecoverCode": {"lambda:UpdateAlias", "lambda:UpdateFunctionCode", "lambda:PublishVersion"},
    "RecoverConfiguration": {"appconfig:CreateHostedConfigurationVersion", "appconfig:StartDeployment"},
}
OF_OUR_OWN_NAMES = {"IsolatedTables", "RecoveredTables"}


def test_nobody_else_may_change_anything_but_isolated_copies():
    # Starting an execution changes nothing by itself.
    reading = ("Describe", "Get", "List", "StartConfigurationSession", "StartExecution")
    every = CHANGING.union(UNDOING, *RELEASES.values())
    changing = {action for action in every if not action.partition(":")[2].startswith(reading)}
    changers = {f for f in FUNCTIONS if granted(f, *(OF_OUR_OWN_NAMES & statements(f).keys())) & changing}

    assert changers == {"ApplyAction", "UndoAction", *RELEASES, *RECOVERIES}
    assert {f: granted(f) & changing for f in RECOVERIES} == RECOVERIES
    assert {f: granted(f) & changing for f in RELEASES} == RELEASES


def test_no_room_of_a_release_can_delete_a_version():
    """A roll-back may need it."""
    assert not [
        a
        for f in FUNCTIONS
        for a in granted(f)
        if a.startswith("lambda:DeleteFunction") and a not in CHANGING | UNDOING
    ]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_permission_is_wide(function: str):
    for sid, statement in statements(function).items():
        assert not [a for a in granted(function) if "*" in a]
        if sid == "Ledger":
            assert statement["Resource"] == {"Fn::GetAtt": "Ledger.Arn"}
        elif sid == "LedgerIndex":
            assert statement["Resource"] == {"Fn::Sub": "${Ledger.Arn}/index/ByWorkload"}
            assert statement["Action"] == ["dynamodb:Query"]
        elif sid == "ListTables":
            assert statement["Action"] == ["dynamodb:ListTables"]  # knows no resources
        elif any(a.startswith("dynamodb:") for a in statement["Action"]):
            tables = {
                "IsolatedTables": f"table/{ISOLATED}*",
                "IsolatedExports": f"table/{ISOLATED}*/export/*",
                "RecoveredTables": f"table/${{ManagedTables}}{RECOVERED}*",
                "RestoredTables": f"table/{RESTORED}*",
            }
            resource = statement["Resource"]["Fn::Sub"]
            assert resource.rpartition(":")[2].startswith(tables.get(sid, "table/${ManagedTables}"))
        elif statement["Resource"] == "*":
            assert not [a for a in statement["Action"] if a in HAVE_NAMES], sid


# What a restore test may do to a table that is not its own copy. RestoreTableToPointInTime needs more on its target
# (Service Authorization Reference), which is granted on copies alone: it cannot restore to another name.
OF_A_RESTORE_TEST = {"dynamodb:RestoreTableToPointInTime", "dynamodb:ExportTableToPointInTime"}
RESTORE_TESTS = (
    "RestoreBackup",
    "WatchRestore",
    "WatchExports",
    "CompareCopy",
    "ReadPart",
    "VerifyCopy",
    "RecordEvidence",
    "CleanUpRestore",
)


@pytest.mark.parametrize("function", RESTORE_TESTS)
def test_a_restore_test_changes_its_copy_and_nothing_else(function: str):
    elsewhere = granted(function, "Ledger", *({"IsolatedTables"} & statements(function).keys()))

    asked = {a for a in elsewhere if a.startswith("dynamodb:")} - OF_A_RESTORE_TEST
    assert not [a for a in asked if not a.startswith(("dynamodb:Describe", "dynamodb:List", "dynamodb:Get"))]


@pytest.mark.parametrize("function", RESTORE_TESTS)
def test_evidence_can_be_written_and_never_deleted(function: str):
    for statement in statements(function).values():
        actions = {a for a in statement["Action"] if a.startswith("s3:")} - {"s3:ListBucket"}
        folder = "evidence" if function == "RecordEvidence" else "exports"
        folder = "exports/readings" if statement["Sid"] == "Readings" else folder
        assert not actions or statement["Resource"] == {"Fn::Sub": f"${{Evidence.Arn}}/{folder}/*"}
    writing = {"WatchRestore", "WatchExports", "CompareCopy", "ReadPart", "RecordEvidence"}
    assert ("s3:PutObject" in granted(function)) == (function in writing)
    assert ("s3:DeleteObject" in granted(function)) == (function == "WatchExports")


LIVE_ITEMS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"}
RECOVER = (
    "PlanRecovery",
    "RecoverTable",
    "CompareRecovery",
    "PutItemsBack",
    "RecoverObjects",
    "RecoverCode",
    "RecoverConfiguration",
    "CloseRecovery",
)


@pytest.mark.parametrize("function", RECOVER)
def test_a_recovery_cannot_delete_what_is_lost_a_second_time(function: str):
    """Nothing live can be deleted or restored over, and items only by the one room that asks for approval."""
    elsewhere = granted(function, "Ledger", *(OF_OUR_OWN_NAMES & statements(function).keys()))

    writes = {
        "PutItem",
        "DeleteItem",
        "UpdateItem",
        "BatchWriteItem",
        "UpdateTable",
        "UpdateContinuousBackups",
    }
    assert {a for a in elsewhere if a.partition(":")[2] in writes} == (
        LIVE_ITEMS - {"dynamodb:GetItem"} if function == "PutItemsBack" else set()
    )
    assert not [a for a in elsewhere if "Delete" in a and a not in LIVE_ITEMS]
    if function == "RecoverTable":
        assert statements(function).keys() >= OF_OUR_OWN_NAMES


def test_every_step_of_a_recovery_has_its_room():
    states = MACHINES["recover"]["States"]
    choice = states["What is next?"]

    assert {act.room for act in Act} == word_choice(choice)
    assert word_choice(choice) | {"close", "well", "badly"} == set(Go)
    assert choice["Default"] == "Close the recovery"
    assert word_choice(states["How did it end?"]) == {"close", "well"}


def test_no_way_out_of_a_recovery_but_through_its_close():
    states = MACHINES["recover"]["States"]
    ends = {name for name, state in states.items() if state["Type"] in {"Succeed", "Fail"}}
    for name, state in states.items():
        ways = [state.get("Next"), state.get("Default")]
        ways += [each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ()))]
        assert not ends & set(ways) or name in {"Close the recovery", "How did it end?"}


# What can be granted for named resources alone.
HAVE_NAMES = (CHANGING | UNDOING | READING | CHECKING) - {
    "appconfig:ListApplications",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:RegisterScalableTarget",
    "cloudwatch:GetMetricData",
    "lambda:GetAccountSettings",
}


@pytest.mark.parametrize("function", ["ApplyAction", "ConfigureRelease", "UndoAction"])
def test_selfright_can_never_throw_its_own_switches(function: str):
    """Otherwise a bad manifest could turn the kill switch off. A Deny outweighs every Allow."""
    never = statements(function)["NeverSwitches"]
    application = (
        "arn:${AWS::Partition}:appconfig:${AWS::Region}:${AWS::AccountId}:application/${SwitchApplication}"
    )

    assert never["Effect"] == "Deny"
    assert set(never["Action"]) == {a for a in CHANGING if a.startswith("appconfig:") and ":List" not in a}
    assert [resource["Fn::Sub"] for resource in never["Resource"]] == [application, f"{application}/*"]


# -- (b) errors and words


def test_every_error_of_ours_that_a_machine_names_exists():
    ours = {
        name
        for definition in MACHINES.values()
        for state in definition["States"].values()
        for rule in (*state.get("Retry", ()), *state.get("Catch", ()))
        for name in rule["ErrorEquals"]
        if not name.startswith(("States.", "Lambda.", "Runtime.", "Sandbox."))
    }

    assert ours
    for name in ours:
        assert issubclass(getattr(errors, name), SelfrightError)


@pytest.mark.parametrize("state", TASKS)
def test_every_failure_to_ask_is_retried_under_its_own_name(state: dict[str, Any]):
    """Step Functions compares names: that ThrottledError is a SourceDownError means nothing to it."""
    retried = {name for rule in state["Retry"] for name in rule["ErrorEquals"]}
    ours = {
        name
        for name, error in inspect.getmembers(errors, inspect.isclass)
        if issubclass(error, SelfrightError)
    }
    repeatable = {name for name in ours if issubclass(getattr(errors, name), SourceDownError)}
    tells = state["Arguments"]["FunctionName"] in {"${TellPeopleArn}", "${TellReleaseArn}"}
    of_channels = {name for name in ours if issubclass(getattr(errors, name), ChannelDownError)}

    assert retried & ours == (repeatable if tells else repeatable - of_channels)


@pytest.mark.parametrize("state", TASKS)
def test_a_room_that_died_is_asked_again(state: dict[str, Any]):
    """Every room may be repeated; which name a dead function goes by depends on how it died."""
    deaths = {"Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory", "Sandbox.Timedout"}
    retried = {name for rule in state["Retry"] for name in rule["ErrorEquals"]}

    assert deaths <= retried


def word_choice(state: dict[str, Any]) -> set[str]:
    """The words for which a Choice has a branch of its own."""
    conditions = [re.fullmatch(r"\{% \$step\.next = '(\w+)' %\}", c["Condition"]) for c in state["Choices"]]
    return {c[1] for c in conditions if c}


def words_of(room: str) -> set[str]:
    """The values of `next` that a room can answer: those that its use case speaks of."""
    source = (ROOT / "layers/core/selfright/usecases" / f"{room}.py").read_text()
    words = {Next[name].value for name in re.findall(r"\bNext\.([A-Z]+)\b", source)}
    return words | ({Next.CLOSE.value} if "stopped(" in source else set())


ASKED = {
    "Choose the runbook": ("choose_runbook", "Is there anything to do?"),
    "Choose the remedy": ("choose_remedy", "Is there a remedy?"),
    "Apply the action": ("apply_action", "Was it applied?"),
    "Judge the outcome": ("judge_outcome", "Did it help?"),
}


@pytest.mark.parametrize("task", ASKED)
def test_every_word_that_a_room_answers_has_its_branch(task: str):
    states = MACHINES["respond"]["States"]
    room, choice = ASKED[task]

    assert states[task]["Next"] == choice
    assert states[choice]["Default"] == "Close the incident"
    assert word_choice(states[choice]) | {"close"} == words_of(room)


# What is not said by a branch of its own goes the default way: where nothing else fits, a release is closed or goes back.
# One room, asked at five points: each has its own words.
DEPLOY_TESTED = {
    "Test before the traffic": ("Do the new versions work?", {"shift", "leave"}),
    "Send requests of our own": ("Are they sent?", {"wait", "leave"}),
    "Test after the shift": ("Does it work for users?", {"test", "wait", "leave"}),
    "Ask how it is": ("Is it healthy?", {"test", "finish", "leave"}),
    "Check that it is healthy": ("Is it as healthy as before?", {"test"}),
}
DEPLOY_ASKED = {
    "Admit the release": ("admit_release", "May it begin?", {"close"}),
    "Publish the versions": ("publish_release", "Is there anything new?", {"close"}),
    "Configure": ("configure_release", "Is it configured?", {"roll_back"}),
    "Shift the traffic": ("shift_traffic", "Was it shifted?", {"leave"}),
    "Judge the step": ("judge_release", "What is the verdict?", {"roll_back"}),
}


@pytest.mark.parametrize("task", DEPLOY_ASKED)
def test_every_word_of_a_release_has_its_branch(task: str):
    states = MACHINES["deploy"]["States"]
    room, choice, default = DEPLOY_ASKED[task]
    source = (ROOT / "layers/core/selfright/usecases" / f"{room}.py").read_text()

    assert states[task]["Next"] == choice
    assert word_choice(states[choice]) | default == {
        Then[name].value for name in re.findall(r"\bThen\.([A-Z_]+)\b", source)
    }


def test_every_word_of_a_test_has_its_branch():
    """What is not said goes back; what is back already is closed, however it is."""
    states = MACHINES["deploy"]["States"]
    source = (ROOT / "layers/core/selfright/usecases/test_release.py").read_text()
    spoken = {Then[name].value for name in re.findall(r"\bThen\.([A-Z_]+)\b", source)}

    for task, (choice, words) in DEPLOY_TESTED.items():
        assert states[task]["Next"] == choice
        assert word_choice(states[choice]) == words
    asked = set().union(*(words for _, words in DEPLOY_TESTED.values()))
    assert spoken == asked | {"roll_back", "close"}
    defaults = {task: states[choice]["Default"] for task, (choice, _) in DEPLOY_TESTED.items()}
    assert defaults.pop("Check that it is healthy") == "Close the release"
    assert set(defaults.values()) == {"Roll the release back"}


def test_a_step_of_a_release_that_fails_for_good_goes_back():
    states = MACHINES["deploy"]["States"]
    to = {name: state["Catch"][-1]["Next"] for name, state in states.items() if state["Type"] == "Task"}
    tests = DEPLOY_TESTED.keys() - {"Check that it is healthy"}
    changing = (*DEPLOY_ASKED, *tests, "Finish the release")

    assert {to[name] for name in changing} == {"Roll the release back"}
    assert to["Check that it is healthy"] == "Close after a failure"
    assert to["Tell of the step"] == "Watch"


@pytest.mark.parametrize("state", MAPS)
def test_a_map_goes_through_a_list_in_s3_and_takes_no_failure_for_a_result(state: dict[str, Any]):
    """Items in a state's input would end at 256 KiB, and children in the parent's history at 25,000 events."""
    processor = state["ItemProcessor"]
    assert processor["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert state["ItemReader"]["ReaderConfig"] == {"InputType": "JSON"}
    assert 0 < state["MaxConcurrency"] <= 100  # of a thousand that an account has by default
    assert state["ToleratedFailurePercentage"] == 0
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    for child in processor["States"].values():
        assert child["Comment"]
        assert child["Output"] == {}
        test_every_failure_to_ask_is_retried_under_its_own_name(child)
        test_a_room_that_died_is_asked_again(child)
        test_a_task_outwaits_its_function(child)


RESTORES = {
    "Restore the backup": ("restore_backup", "Is it under way?"),
    "Watch the restore": ("watch_restore", "Is it restored?"),
    "Watch the exports": ("watch_exports", "Is it exported?"),
    "Compare the copy": ("compare_copy", "Is it compared?"),
    "Clean up": ("clean_up_restore", "Is it gone?"),
}


@pytest.mark.parametrize("task", RESTORES)
def test_every_word_of_a_restore_test_has_its_branch(task: str):
    states = MACHINES["verify_backup"]["States"]
    room, choice = RESTORES[task]
    source = (ROOT / "layers/core/selfright/usecases" / f"{room}.py").read_text()
    words = {backup_steps.Next[name].value for name in re.findall(r"\bNext\.([A-Z]+)\b", source)}

    assert states[task]["Next"] == choice
    defaults = {"Record the evidence": "record", "Verify the copy": "go", "Not proven": "alarm"}
    default = defaults[states[choice]["Default"]]
    assert word_choice(states[choice]) | {default} == words


def test_whatever_fails_in_a_restore_test_its_copy_is_cleaned_up():
    """No way out of the machine but through the clean-up."""
    states = MACHINES["verify_backup"]["States"]

    def ways(state: dict[str, Any]) -> set[str]:
        given = [state.get("Next"), state.get("Default")]
        given += [each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ()))]
        return {way for way in given if way}

    for name, state in states.items():
        ends = {way for way in ways(state) if states[way]["Type"] in ("Succeed", "Fail")}
        assert not ends or name in ("Clean up", "Is it gone?")
    assert {rule["Next"] for rule in states["Clean up"]["Catch"]} == {"Fail openly"}


BACKUPS = {
    "Plan the backup": ("plan_backup", "May it begin?", "go"),
    "Take the parts": ("take_backup", "Is it all taken?", "go"),
    "Finish the backup": ("finish_backup", "Is it whole?", "alarm"),
}


@pytest.mark.parametrize("task", BACKUPS)
def test_every_word_of_a_backup_has_its_branch(task: str):
    states = MACHINES["back_up"]["States"]
    room, choice, default = BACKUPS[task]
    source = (ROOT / "layers/core/selfright/usecases" / f"{room}.py").read_text()
    words = {backup_steps.Next[name].value for name in re.findall(r"\bNext\.([A-Z]+)\b", source)}

    assert states[task]["Next"] == choice
    assert word_choice(states[choice]) | {default} == words


def test_no_room_can_delete_a_backup_or_read_an_environment_in_it():
    for function in FUNCTIONS:
        for statement in statements(function).values():
            where = json.dumps(statement["Resource"])
            asked = listed(statement["Action"])
            may = {a for a in asked if a.startswith(("s3:Delete", "s3:Bypass", "kms:Decrypt"))}
            assert not (may and ("Backup" in where or where == '"*"')), function


@pytest.mark.parametrize("room", ["run_checks", "undo_action"])
def test_rooms_without_a_choice_have_one_word(room: str):
    assert words_of(room) == {"check"}


# -- (c) rooms and substitutions


def test_every_room_is_deployed_and_every_function_is_a_room():
    uris = {f["CodeUri"] for f in resources("AWS::Serverless::Function").values()}

    assert uris == {f"functions/{room}" for room in ROOMS}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_one_short_file(room: str):
    files = [p.name for p in (ROOT / "functions" / room).iterdir() if p.name != "__pycache__"]

    assert files == ["app.py"]
    assert len((ROOT / "functions" / room / "app.py").read_text().splitlines()) <= 30


@pytest.mark.parametrize(("logical_id", "machine"), resources("AWS::Serverless::StateMachine").items())
def test_a_machine_is_given_exactly_what_it_asks_for(logical_id: str, machine: dict[str, Any]):
    text = (ROOT / machine["DefinitionUri"]).read_text()
    asked = set(re.findall(r"\$\{(\w+)\}", text))

    assert machine["DefinitionSubstitutions"].keys() == asked
    for name in asked:
        assert machine["DefinitionSubstitutions"][name] == {"Fn::GetAtt": f"{name.removesuffix('Arn')}.Arn"}


def test_every_machine_is_deployed_and_may_call_its_rooms():
    machines = resources("AWS::Serverless::StateMachine")
    assert {m["DefinitionUri"] for m in machines.values()} == {
        f"statemachines/{name}.asl.json" for name in MACHINES
    }
    for machine in machines.values():
        allowed = next(s for p in machine["Policies"] for s in p["Statement"] if s["Sid"] == "Rooms")[
            "Resource"
        ]
        called = machine["DefinitionSubstitutions"].values()
        assert sorted(allowed, key=str) == sorted(called, key=str)


def test_a_message_is_hidden_for_six_times_its_functions_timeout():
    """Lambda asks for it: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    timeout = template()["Globals"]["Function"]["Timeout"]

    assert resources("AWS::SQS::Queue")["Signals"]["VisibilityTimeout"] >= 6 * timeout


@pytest.mark.parametrize(
    ("alarm", "metric"), [("CanaryMissing", "CanaryDecided"), ("SweepMissing", "SweepDone")]
)
def test_silence_raises_an_alarm(alarm: str, metric: str):
    watched = resources("AWS::CloudWatch::Alarm")[alarm]

    written = [*(ROOT / "layers/core/selfright/edge").glob("*.py"), *(ROOT / "functions").glob("*/app.py")]
    assert any(f'gauge("{metric}"' in path.read_text() for path in written)
    assert (watched["MetricName"], watched["TreatMissingData"]) == (metric, "breaching")
    assert watched["Dimensions"] == [{"Name": "service", "Value": "selfright"}]
    assert watched["Period"] * watched["EvaluationPeriods"] == 900  # three schedules of five minutes


def test_the_queue_takes_from_our_own_rules_and_nobody_else():
    rules = resources("AWS::Events::Rule")
    first, *others = resources("AWS::SQS::QueuePolicy")["SignalsPolicy"]["PolicyDocument"]["Statement"]

    assert first["Condition"]["ArnEquals"]["aws:SourceArn"] == [
        {"Fn::GetAtt": f"{name}.Arn"}
        for name in (
            *rules,
            "RequestReleaseRequested",
            "RequestReleaseUploaded",
            "RegretReleaseAlarmWentOff",
            "ValidateRestoreRestored",
        )
    ]
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": "Signals.Arn"}
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "SignalsDeadLetters.Arn"}}
    (topic,) = others
    assert topic["Fn::If"][0] == "HasAlarmTopic"
    assert topic["Fn::If"][1]["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "AlarmTopicArn"}}}


def test_what_a_direct_call_could_not_deal_with_is_kept_too():
    kept = resources("AWS::Serverless::Function")["ReceiveSignal"]["EventInvokeConfig"]["DestinationConfig"]

    assert kept["OnFailure"]["Destination"] == {"Fn::GetAtt": "SignalsDeadLetters.Arn"}


# -- (d) runbooks

SHIPPED = load_runbooks(ROOT / "runbooks")


@pytest.mark.parametrize("runbook", SHIPPED, ids=lambda r: r.id)
def test_a_shipped_runbook_holds_together(runbook: Runbook):
    assert lint_runbook(runbook, CHECKS, ACTIONS) == []


# -- (e) the state machines' manners


@pytest.mark.parametrize("state", STATES)
def test_every_state_says_what_it_is_for(state: dict[str, Any]):
    assert state["Comment"]


@pytest.mark.parametrize("state", TASKS)
def test_every_task_ends_is_retried_with_jitter_and_caught(state: dict[str, Any]):
    assert state["TimeoutSeconds"] > 0
    assert state["Retry"]
    assert {rule["JitterStrategy"] for rule in state["Retry"]} == {"FULL"}
    assert all(rule["MaxDelaySeconds"] and rule["MaxAttempts"] for rule in state["Retry"])
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    assert "failure" in state["Catch"][-1]["Assign"]


# A function that dies, of time, memory or its own exit, is told under one of these names.
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
DEATHS = {"Lambda.Unknown", "Runtime.ExitError", "Runtime.OutOfMemory", "Sandbox.Timedout", "States.Timeout"}


@pytest.mark.parametrize("state", TASKS)
def test_a_function_that_died_is_called_again(state: dict[str, Any]):
    """Every room may be repeated at any point: test_crashes.py."""
    if state["Resource"].endswith("lambda:invoke"):
        assert {name for rule in state["Retry"] for name in rule["ErrorEquals"]} >= DEATHS


@pytest.mark.parametrize("state", TASKS)
def test_a_task_outwaits_its_function(state: dict[str, Any]):
    if state["Resource"].endswith("lambda:invoke"):
        function = state["Arguments"]["FunctionName"].removeprefix("${").removesuffix("Arn}")
        own = resources("AWS::Serverless::Function")[function].get("Timeout")
        assert state["TimeoutSeconds"] > (own or template()["Globals"]["Function"]["Timeout"])


def test_deploy_outlasts_every_release_that_is_let_in():
    """A machine that is over rolls nothing back; nor does one whose history is full."""
    assert MACHINES["deploy"]["TimeoutSeconds"] > 1.5 * LONGEST_RELEASE
    # A look is a Wait (2 events), a Task (5) and a Choice (2); 25,000 are all that an execution may have.
    assert 9 * MOST_LOOKS < 0.8 * 25_000
    # With requests of our own before it: a Task (5) and a Choice (2) more, and half as many looks.
    assert 16 * MOST_LOOKS / 2 < 0.8 * 25_000


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_speaks_jsonata_and_ends(name: str):
    assert MACHINES[name]["QueryLanguage"] == "JSONata"
    # a restore alone may take the four hours of the RTO, and a stack goes back as long as CloudFormation takes
    longest = {
        "verify_backup": 28800,
        "recover": 28800,
        "back_up": 86400,
        "deploy": 2 * LONGEST_RELEASE,
        "roll_back": 43200,
    }
    assert MACHINES[name]["TimeoutSeconds"] <= longest.get(name, 7200)
    assert MACHINES[name]["Comment"]


def test_one_execution_outlasts_every_attempt_that_the_manifest_allows_by_default():
    from selfright.domain.manifest import Limits, Verification

    limits, verification = Limits(), Verification()
    longest = limits.attempts * verification.verify_within_seconds

    assert MACHINES["respond"]["TimeoutSeconds"] > longest


# -- sample inputs


@pytest.mark.parametrize(
    "path", sorted((ROOT / "events" / "verify-backup").glob("*.json")), ids=lambda p: p.stem
)
def test_a_sample_restore_test_can_be_pasted_into_the_console(path: Path):
    asked = backup_steps.VerifyBackupInput.model_validate_json(path.read_text())

    assert asked.table in load_workload(ROOT / "workloads" / asked.workload, "production").backup.tables


@pytest.mark.parametrize("path", sorted((ROOT / "events" / "back-up").glob("*.json")), ids=lambda p: p.stem)
def test_a_sample_backup_can_be_pasted_into_the_console(path: Path):
    asked = BackUpInput.model_validate_json(path.read_text())

    assert load_workload(ROOT / "workloads" / asked.workload, "production")
    assert asked.scope == path.stem


@pytest.mark.parametrize("path", sorted((ROOT / "events" / "respond").glob("*.json")), ids=lambda p: p.stem)
def test_a_sample_input_can_be_pasted_into_the_console(path: Path):
    assert RespondInput.model_validate_json(path.read_text()).incident_id.startswith("inc-")


def test_the_sample_input_of_undo_can_be_pasted_into_the_console():
    sample = UndoInput.model_validate_json((ROOT / "events" / "undo" / "left-open.json").read_text())

    assert sample.incident_id.startswith("inc-")
    assert sample.failure == "respond: TIMED_OUT"


def test_so_can_those_of_a_release():
    samples = ROOT / "events" / "deploy"

    requested = json.loads((samples / "requested.json").read_text())
    assert deployment_request(requested, S3Uploads(Aws())).request.release_id == "opportunity-analysis-42"
    assert ReleaseRequest.model_validate(requested["detail"]).strategy is not None
    assert ReleaseStep.model_validate_json((samples / "start.json").read_text())
    assert RollBackInput.model_validate_json((samples / "roll-back.json").read_text())


@pytest.mark.parametrize("path", sorted((ROOT / "events" / "recover").glob("*.json")), ids=lambda p: p.stem)
def test_a_sample_recovery_can_be_pasted_into_the_console(path: Path):
    asked = RecoverInput.model_validate_json(path.read_text())

    known = load_workload(ROOT / "workloads" / asked.workload, asked.environment)
    assert asked.resource is None or asked.resource in known.resources

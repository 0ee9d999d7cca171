"""The harness at work, on the cases that hurt most: a function dies around a change, or the whole execution is lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reliability.__main__ import Stage, play_all

INCIDENTS = (
    "respond/helps/ReceiveSignal/TransactWriteItems Ledger 1/kill-after",
    "respond/helps/ApplyAction/UpdateTable table 1/kill-*",
    "respond/helps/ApplyAction/UpdateTable table 1/delay",
    "respond/helps/JudgeOutcome/TransactWriteItems Ledger 1/down",
    "respond/helps/CloseIncident/TransactWriteItems Ledger 1/down",
    "respond/helps/TellPeople/Publish AlertsTopic 1/kill-after",
    "respond/does-not-help/UndoAction/UpdateTable table 1/kill-*",
    "undo/stopped/UndoAction/UpdateTable table 1/kill-after",
)
RELEASES = (
    "deploy/good/RequestRelease/StartExecution Deploy 1/kill-before",
    "deploy/good/ShiftTraffic/UpdateAlias analysis 1/kill-after",
    "deploy/good/ShiftTraffic/UpdateAlias analysis 1/down",
    "deploy/good/Deploy/InvokeFunction CloseRelease 1/down",
    "deploy/fails/RollBackRelease/UpdateAlias analysis 1/kill-after",
    "deploy/fails/RollBackRelease/UpdateAlias analysis 1/down",
)
RESTORE_TESTS = (
    "verify_backup/good/ReadPart/PutObject reading-1/copy 1/kill-after",
    "verify_backup/good/RecordEvidence/TransactWriteItems Ledger 1/kill-after",
    "verify_backup/good/VerifyBackup/GetObject reading-1/parts.json 1/down",
    "verify_backup/good/VerifyBackup/InvokeFunction CleanUpRestore 1/down",
)


@pytest.mark.parametrize(
    ("cases", "number", "ends"),
    [
        (INCIDENTS, 10, {"resolved", "escalated"}),
        (RELEASES, 6, {"completed", "rolled_back", "rollback_failed"}),
        (RESTORE_TESTS, 4, {"PASS", "INCONCLUSIVE", "failed"}),
    ],
    ids=["incidents", "releases", "restore tests"],
)
def test_all_comes_to_a_good_end_whatever_dies(
    staged: Stage, subtests: pytest.Subtests, cases: Sequence[str], number: int, ends: set[str]
):
    played = list(play_all(staged.board, staged.scenes, cases, []))

    assert len(played) == number
    for result in played:
        with subtests.test(result.case):
            assert result.broken == []
            assert result.outcome in ends

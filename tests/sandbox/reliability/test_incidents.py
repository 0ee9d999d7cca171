"""The harness at work, on the cases that hurt most: a function dies around a change, or the whole execution is lost."""

from __future__ import annotations

import pytest

from reliability.__main__ import play_all, stage

HARDEST = (
    "respond/helps/ReceiveSignal/TransactWriteItems Ledger 1/kill-after",
    "respond/helps/ApplyAction/UpdateTable table 1/kill-*",
    "respond/helps/ApplyAction/UpdateTable table 1/delay",
    "respond/helps/JudgeOutcome/TransactWriteItems Ledger 1/down",
    "respond/helps/CloseIncident/TransactWriteItems Ledger 1/down",
    "respond/helps/TellPeople/Publish AlertsTopic 1/kill-after",
    "respond/does-not-help/UndoAction/UpdateTable table 1/kill-*",
    "undo/stopped/UndoAction/UpdateTable table 1/kill-after",
)
OF_A_RESTORE_TEST = (
    "verify_backup/good/ReadPart/PutObject reading-1/copy 1/kill-after",
    "verify_backup/good/RecordEvidence/TransactWriteItems Ledger 1/kill-after",
    "verify_backup/good/VerifyBackup/GetObject reading-1/parts.json 1/down",
    "verify_backup/good/VerifyBackup/InvokeFunction CleanUpRestore 1/down",
)


def test_every_incident_comes_to_a_good_end_whatever_dies(subtests: pytest.Subtests):
    with stage() as (board, scenes):
        played = list(play_all(board, scenes, (*HARDEST, *OF_A_RESTORE_TEST), []))

    assert len(played) == 10 + len(OF_A_RESTORE_TEST)
    for result in played:
        with subtests.test(result.case):
            assert result.broken == []
            assert result.outcome in {"resolved", "escalated", "PASS", "INCONCLUSIVE", "failed"}

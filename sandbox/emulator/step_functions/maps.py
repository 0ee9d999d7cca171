"""Map states: a bounded number of iterations at a time, any number of items, and the failures that AWS tolerates.

The interpreter starts a thread per item, recurses per item (a thousand items overflow its stack and leave the
execution running for ever), and lets a Distributed Map succeed whatever its children do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from sandbox.emulator.step_functions.failures import events, failed
from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import original, replace

logger = logging.getLogger(__name__)

# Inline maps run at most this many iterations at a time on AWS. Distributed maps may run 10,000: not on one machine.
MOST_ITERATIONS = 40
ITERATION = "component.state.exec.state_map.iteration"

workers = asl(f"{ITERATION}.iteration_worker")
CHILDREN = (
    asl(f"{ITERATION}.itemprocessor.distributed_item_processor_worker").DistributedItemProcessorWorker,
    asl(f"{ITERATION}.iterator.distributed_iterator_worker").DistributedIteratorWorker,
)


def _workers(asked: int, items: int) -> int:
    """How many iterations to run at a time; MaxConcurrency 0 means as many as there are items."""
    return min(asked or MOST_ITERATIONS, MOST_ITERATIONS, items)


def _tolerates(bad: int, total: int, count: int, percentage: float) -> bool:
    """Neither threshold is exceeded; one that is not set does not count, and with none no failure is tolerated."""
    within_count = bad <= count if count or not percentage else True
    within_percentage = 100 * bad <= percentage * total if percentage else True
    return within_count and within_percentage


def _drain(worker: Any, frame: Any, leave: Callable[[Any], None], close: Callable[[Any, Any], None]) -> None:
    """Take items until there is none; a failed one ends the map.

    The frame is left before the last item is reported, because the map goes on at that report.
    """
    pool = worker._job_pool
    job = pool.next_job()
    if job is None:
        leave(frame)
    while job is not None:
        job_frame = frame.open_inner_frame()
        worker._eval_job(env=job_frame, job=job)
        close(frame, job_frame)
        broken = isinstance(job.job_output, Exception)
        following = None if broken or worker.stopped() else pool.next_job()
        if following is None:
            if not broken:
                last = job_frame.event_history_context.last_published_event_id
                frame.event_history_context.source_event_id = max(
                    last, frame.event_history_context.source_event_id
                )
            leave(frame)
        pool.close_job(job)
        job = following


def _guarded(work: Callable[[Any], None]) -> Callable[[Any], None]:
    """A worker that dies must end the map, which otherwise waits for its items for ever."""

    def evaluate(self: Any) -> None:
        try:
            work(self)
        except BaseException as error:
            logger.exception("a map's worker died")
            self._job_pool._worker_exception = error
            self._job_pool._termination_event.set()

    return evaluate


def _iterate(worker: Any) -> None:
    _drain(
        worker,
        worker._env.open_frame(),
        leave=worker._env.close_frame,
        close=lambda frame, job_frame: frame.close_frame(job_frame),
    )


def _run_children(worker: Any) -> None:
    """Children are executions of their own: their events are no part of the parent's history."""
    _drain(
        worker,
        worker._env,
        leave=worker._env.delete_frame,
        close=lambda frame, job_frame: frame.delete_frame(job_frame),
    )


def _bounded(before: Callable[..., None]) -> Callable[[Any, Any], None]:
    def evaluate(self: Any, env: Any) -> None:
        given = env.stack[-1]
        given.max_concurrency = _workers(given.max_concurrency, len(given.input_items))
        before(self, env)

    return evaluate


def _tolerant(before: Callable[..., None]) -> Callable[[Any, Any, Any], None]:
    def map_run(self: Any, env: Any, eval_input: Any) -> None:
        record, items = eval_input.map_run_record, env.stack[-1]
        asked = record.max_concurrency
        record.max_concurrency = _workers(asked, len(items))
        try:
            before(self, env, eval_input)
        finally:
            record.max_concurrency = asked
        bad = record.item_counter.failed.get() + record.item_counter.timed_out.get()
        if not _tolerates(
            bad, len(items), record.tolerated_failure_count, record.tolerated_failure_percentage
        ):
            cause = "The specified tolerated failure threshold was exceeded"
            raise events.FailureEventException(
                failed(env, "MapRunFailed", "States.ExceedToleratedFailureThreshold", cause)
            )

    return map_run


def _readable(before: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A list that cannot be read fails its Map by a name that can be caught; else the whole execution would end."""

    def evaluate(self: Any, env: Any) -> None:
        try:
            before(self, env)
        except events.FailureEventException:
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            raise events.FailureEventException(
                failed(env, "MapRunFailed", "States.ItemReaderFailed", cause)
            ) from error

    return evaluate


def install() -> None:
    for used in ("_eval_job", "stopped"):
        original(workers.IterationWorker, used)
    pool = asl(f"{ITERATION}.job").JobPool(job_program=None, job_inputs=[])
    for used in ("_worker_exception", "_termination_event", "next_job", "close_job"):
        original(pool, used)
    replace(workers.IterationWorker, "eval", lambda _before: _guarded(_iterate))
    for child in CHILDREN:
        replace(child, "eval", lambda _before: _guarded(_run_children))
    inline = asl(f"{ITERATION}.inline_iteration_component").InlineIterationComponent
    distributed = asl(f"{ITERATION}.distributed_iteration_component").DistributedIterationComponent
    replace(inline, "_eval_body", _bounded)
    replace(distributed, "_map_run", _tolerant)
    reader = asl("component.state.exec.state_map.item_reader.item_reader_decl").ItemReader
    replace(reader, "_eval_body", _readable)

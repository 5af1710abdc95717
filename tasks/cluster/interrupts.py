"""How an attempt is interrupted: by a signal in a worker's main thread, by an exception set from outside in its others.

Either way it raises only while handler code is armed, and only for the attempt that it is meant for: never inside
the database driver, never in the next task.
"""

from __future__ import annotations

import ctypes
import threading
from types import FrameType

from tasks.cluster.shared import INTERRUPTS, SharedMemory, Why, WorkerRecord, WorkerState


class WorkerInterrupts:
    """`tasks.lifecycle.attempt_context.Interrupts` for a worker's main thread: the sentinel sends it a signal."""

    def __init__(self, memory: SharedMemory, record: WorkerRecord) -> None:
        self._memory = memory
        self._record = record

    def arm(self) -> None:
        self._record.armed = 1

    def disarm(self) -> bool:
        was_armed = bool(self._record.armed)
        self._record.armed = 0
        return was_armed

    def end(self) -> None:
        self.disarm()
        self._record.interrupted_at = 0.0
        self._record.state = WorkerState.FINISHING

    def check(self) -> None:
        why = self._memory.why_interrupt(self._record)
        if why != Why.NOTHING:
            raise INTERRUPTS[why]

    def on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        if self._record.armed:
            self.check()


class ThreadInterrupts(WorkerInterrupts):
    """The same for a thread. Python delivers an exception that was set from outside at the thread's next step.

    A thread that hangs in a call of the system takes none; the sentinel then kills the worker.
    """

    def __init__(self, memory: SharedMemory, record: WorkerRecord, thread_id: int) -> None:
        super().__init__(memory, record)
        self._thread_id = thread_id
        self._lock = threading.Lock()
        self._is_over = False

    def deliver(self) -> None:
        """Set the exception, if one is due. Called in the main thread's signal handler, which must not wait."""
        if not self._lock.acquire(blocking=False):
            return  # the next signal is a tick away
        try:
            if self._is_over:
                return
            why = self._memory.why_interrupt(self._record)
            if self._record.armed and why != Why.NOTHING:
                self._set(ctypes.py_object(INTERRUPTS[why]))
        finally:
            self._lock.release()

    def disarm(self) -> bool:
        with self._lock:
            was_armed = super().disarm()
            # What was set and not yet delivered is taken back: it comes again when handler code goes on.
            self._set(None)
        return was_armed

    def close(self) -> None:
        """Nothing is set any more: the record, and the number of the thread, are somebody else's from now on."""
        with self._lock:
            self._is_over = True
            self._set(None)

    def _set(self, exception: object) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread_id), exception)

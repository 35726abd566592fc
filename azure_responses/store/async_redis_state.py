"""The state shared by replicas through Redis, for async callers.

Only the reservation, which a call waits for, is asynchronous: callers of one event loop who come
while a round trip is under way share the next one, over one connection. What follows a call goes
to the writer thread of the sync state, which belongs to no event loop, so that nothing is lost
when a loop ends, and sync and async callers of one router have one order of writes.

redis-py's asyncio client does not run on trio. There a reservation is the sync one, in a thread.
"""

import asyncio
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, TypeVar

import anyio.to_thread

from azure_responses.event_loop import end_unawaited, forget_closed_loops
from azure_responses.fork import generation, in_forked_child
from azure_responses.routing.route_request import Candidate, Reservation
from azure_responses.store.connection import leave_connections, make_async_client
from azure_responses.store.interface import AsyncStateAdapter
from azure_responses.store.lua_scripts import MOST_CANDIDATES, RESERVE, read_reservation
from azure_responses.store.redis_state import RedisState
from azure_responses.store.write_queue import is_unknown_script

__all__ = ["AsyncRedisState"]

T = TypeVar("T")

_BATCH = 32
# A first connection may have to wait for a token; callers do not wait so long.
_CONNECT_TIMEOUT = 10.0


class AsyncRedisState(AsyncStateAdapter):
    """`RedisState` for async callers.

    Args:
        state: the sync one; both share its counters, its writer and its circuit breaker.
    """

    def __init__(self, state: RedisState) -> None:
        super().__init__(state)
        self._state = state
        self._connections: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopConnection] = (
            weakref.WeakKeyDictionary()
        )
        in_forked_child(self, AsyncRedisState._leave_parent)

    def __repr__(self) -> str:
        return f"Async{self._state!r}"

    async def _run(self, function: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(function)

    async def reserve(self, candidates: Sequence[Candidate], now: float) -> Reservation:
        # The script's reply has a place for each: more would hold up Redis, which runs one at a
        # time.
        candidates = candidates[:MOST_CANDIDATES]
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return await anyio.to_thread.run_sync(self._state.reserve, candidates, now)
        reservation = await self._reserve_shared(loop, candidates)
        if reservation is None:
            return self._state.local.reserve(candidates, now)
        return self._state.count(reservation, now)

    async def _reserve_shared(
        self, loop: asyncio.AbstractEventLoop, candidates: Sequence[Candidate]
    ) -> Reservation | None:
        state = self._state
        state.writer.start()
        if not candidates or state.breaker.is_open:
            return None
        try:
            connection = self._connections.get(loop) or await self._open_connection(loop)
            return await connection.reserve(candidates)
        except Exception as error:
            state.breaker.note_failure(error, "reserve")
            return None

    async def _open_connection(self, loop: asyncio.AbstractEventLoop) -> "_LoopConnection":
        forget_closed_loops(self._connections)
        connection = self._connections[loop] = _LoopConnection(self._state, loop)
        await connection.watch()
        return connection

    def _leave_parent(self) -> None:
        connections, self._connections = (
            list(self._connections.values()),
            weakref.WeakKeyDictionary(),
        )
        for connection in connections:
            connection.leave()

    async def aclose(self) -> None:
        try:
            connection = self._connections.pop(asyncio.get_running_loop(), None)
        except RuntimeError:
            connection = None
        if connection is not None:
            await connection.aclose()
        await super().aclose()


class _LoopConnection:
    """The connection of one event loop, and the calls that wait for its next round trip."""

    def __init__(self, state: RedisState, loop: asyncio.AbstractEventLoop) -> None:
        self._state = state
        self._loop = weakref.ref(loop)
        self._client: Any = make_async_client(state.address)
        self._waiting: deque[tuple[Sequence[Candidate], asyncio.Future[Reservation]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._began: float | None = None
        self._guard: AsyncGenerator[None, None] | None = None

    async def watch(self) -> None:
        """Have the connection closed when the loop ends, unless it is closed before."""
        self._guard = _close_with_loop(self._client)
        await anext(self._guard)

    async def aclose(self) -> None:
        """Close the connection; calls that still wait use local counters."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._guard is not None:
            await self._guard.aclose()

    def leave(self) -> None:
        """Leave the connection to the parent, in a forked process."""
        leave_connections(self._client)
        if self._guard is not None:
            end_unawaited(self._guard)

    async def reserve(self, candidates: Sequence[Candidate]) -> Reservation:
        """Take part in the next round trip; raises TimeoutError and whatever redis-py raises."""
        loop, timeout = asyncio.get_running_loop(), self._state.address.timeout
        # Calls that come now would only queue behind it, each for its whole timeout.
        if self._began is not None and loop.time() - self._began > timeout:
            raise TimeoutError("an earlier round trip has not come back")
        future: asyncio.Future[Reservation] = loop.create_future()
        self._waiting.append((candidates, future))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._serve())
        try:
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError:
            self._return_unused(future)
            raise TimeoutError(f"no answer within {timeout} s") from None
        except asyncio.CancelledError:
            self._return_unused(future)
            raise

    def _return_unused(self, future: "asyncio.Future[Reservation]") -> None:
        # The answer may have come in the very moment in which the caller was cancelled.
        if future.done() and not future.cancelled() and future.exception() is None:
            self._give_back(future.result())
        future.cancel()

    def _give_back(self, reservation: Reservation) -> None:
        if reservation.candidate is not None:
            self._state.give_back(reservation.candidate, reservation.slot)

    async def _serve(self) -> None:
        while self._waiting:
            most = min(_BATCH, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(most)]
            await self._serve_batch([pair for pair in batch if not pair[1].done()])

    async def _serve_batch(
        self, batch: list[tuple[Sequence[Candidate], "asyncio.Future[Reservation]"]]
    ) -> None:
        self._began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                replies = await self._execute([candidates for candidates, _ in batch])
        except BaseException as error:
            self._fail(batch, error)
            if not isinstance(error, Exception):
                raise
        else:
            for (candidates, future), reply in zip(batch, replies, strict=True):
                self._answer(candidates, future, reply)
        finally:
            self._began = None

    def _answer(
        self, candidates: Sequence[Candidate], future: "asyncio.Future[Reservation]", reply: Any
    ) -> None:
        if isinstance(reply, Exception):
            self._fail([(candidates, future)], reply)
        elif future.done():
            self._give_back(read_reservation(reply, candidates))
        else:
            future.set_result(read_reservation(reply, candidates))

    def _fail(
        self,
        batch: list[tuple[Sequence[Candidate], "asyncio.Future[Reservation]"]],
        error: BaseException,
    ) -> None:
        reason = error if isinstance(error, Exception) else ConnectionError("closed")
        for _, future in batch:
            if not future.done():
                future.set_exception(reason)

    async def _execute(self, batch: list[Sequence[Candidate]]) -> list[Any]:
        clock = self._state.clock() if self._state.clock else None
        values = [self._state.keys.reservation(candidates, clock) for candidates in batch]
        replies = await self._run(values, "EVALSHA", RESERVE.digest)
        if any(is_unknown_script(reply) for reply in replies):
            # The script is unknown to the whole batch: none of it has been carried out.
            replies = await self._run(values, "EVAL", RESERVE.text)
        return replies

    async def _run(self, batch: list[list[str | int]], command: str, script: str) -> list[Any]:
        from redis.exceptions import ConnectionError as BrokenConnection

        try:
            return await self._send(batch, command, script)
        except BrokenConnection:
            # A connection that lay idle was closed by the other side, which shows only now; that
            # is not an outage. A reservation made twice, at worst, counts for a minute too much.
            await self._client.connection_pool.disconnect()
            return await self._send(batch, command, script)

    async def _send(self, batch: list[list[str | int]], command: str, script: str) -> list[Any]:
        if len(batch) == 1:
            return [await self._send_one(batch[0], command, script)]
        pipeline = self._client.pipeline(transaction=False)
        for values in batch:
            pipeline.execute_command(command, script, *values)
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies

    async def _send_one(self, values: list[str | int], command: str, script: str) -> Any:
        # A pipeline of one command costs half as much again.
        from redis.exceptions import ResponseError

        try:
            return await self._client.execute_command(command, script, *values)
        except ResponseError as error:
            return error


async def _close_with_loop(client: Any) -> AsyncGenerator[None, None]:
    """Closes the connection when its event loop ends, which is the last moment it can be."""
    process = generation()
    try:
        yield
    finally:
        if process == generation():
            await client.aclose()

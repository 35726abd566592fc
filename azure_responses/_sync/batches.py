# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`client.batches`: many requests in one file, answered within a day."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, Unpack

from azure_responses._sync.object_resource import ObjectResource
from azure_responses._sync.pages import Pages
from azure_responses._sync.waiting import wait_for_end
from azure_responses.call_options import CallOptions
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.object_request import given
from azure_responses.protocol.polling import BATCH, Poll
from azure_responses.types.batches import Batch

__all__ = ["Batches"]


class Batches(ObjectResource):
    """`client.batches`."""

    @shows_parameters(CallOptions)
    def create(
        self,
        *,
        completion_window: Literal["24h"] | str,
        endpoint: Literal["/v1/responses", "/v1/chat/completions", "/v1/embeddings"] | str,
        input_file_id: str,
        metadata: Mapping[str, str] | None = None,
        output_expires_after: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Batch:
        """Begin a batch; on Azure each line of the file names a Global-Batch deployment.

        Args:
            completion_window: "24h".
            endpoint: what every line calls.
            input_file_id: of a file that was uploaded with the purpose "batch".
            metadata: up to 16 pairs of texts.
            output_expires_after: such as {"anchor": "created_at", "seconds": 1209600}.
            options: of the call.
        """
        body = given(
            completion_window=completion_window,
            endpoint=endpoint,
            input_file_id=input_file_id,
            metadata=metadata,
            output_expires_after=output_expires_after,
        )
        return self._perform("batches.create", Batch, options, body=body)

    @shows_parameters(CallOptions)
    def retrieve(self, batch_id: str, **options: Unpack[CallOptions]) -> Batch:
        """The current state of a batch."""
        return self._perform("batches.retrieve", Batch, options, batch_id)

    @shows_parameters(CallOptions)
    def list(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Pages[Batch]:
        """The batches: iterate for all of them, over as many pages as needed.

        `limit` is the size of a page, 1 to 100, by default 20.
        """
        return self._list("batches.list", Batch, options, after=after, limit=limit)

    @shows_parameters(CallOptions)
    def cancel(self, batch_id: str, **options: Unpack[CallOptions]) -> Batch:
        """Stop a batch; requests that are answered already are in its files, and billed."""
        return self._perform("batches.cancel", Batch, options, batch_id)

    def wait(
        self,
        batch_id: str,
        *,
        poll_interval: float | None = None,
        timeout: float | None = None,
        on_progress: Callable[[Batch], object] | None = None,
    ) -> Batch:
        """Wait for the end of a batch, and return it with its status.

        Args:
            batch_id: which batch.
            poll_interval: seconds between polls; None goes by what the service asks for, else
                starts at a second and grows to a minute.
            timeout: seconds to wait in all; None waits for ever.
            on_progress: called with what each poll found, the last one included;
                `request_counts` says how far the batch is.

        Raises:
            APITimeoutError: the time is up and the batch is still at work.
        """
        poll = Poll(time.monotonic(), poll_interval, timeout, BATCH)

        def retrieve(options: CallOptions) -> Batch:
            return self.retrieve(batch_id, **options)

        return wait_for_end(retrieve, poll, self._timeout, on_progress)

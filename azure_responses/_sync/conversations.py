# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`client.conversations`: what the service keeps of a conversation, and its items."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Unpack, cast

from azure_responses._sync.object_resource import ObjectResource
from azure_responses._sync.pages import Pages
from azure_responses.call_options import CallOptions
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.object_request import given
from azure_responses.protocol.options import including
from azure_responses.types.conversations import (
    ConversationDeleted,
    ConversationItem,
    ConversationItemList,
    ConversationItemReply,
)
from azure_responses.types.model import Model
from azure_responses.types.parameters import Conversation

__all__ = ["ConversationItems", "Conversations"]

# The most items that one call adds (openai 3.54, resources/conversations/items.py).
_MOST_ITEMS = 20

_Item = Model | Mapping[str, Any]


class Conversations(ObjectResource):
    """`client.conversations`; offered by Foundry projects, and not yet by every resource."""

    @property
    def items(self) -> "ConversationItems":
        """The items of a conversation."""
        return ConversationItems(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    def create(
        self,
        *,
        items: Iterable[_Item] | None = None,
        metadata: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> Conversation:
        """Create a conversation; `responses.create(conversation=…)` continues it.

        Args:
            items: what it begins with. What is more than the 20 of one call is added by further
                calls; where one of these fails, the error has a note with the id.
            metadata: up to 16 pairs of texts.
            options: of the call.
        """
        every = None if items is None else [*items]
        first = None if every is None else every[:_MOST_ITEMS]
        body = given(items=first, metadata=metadata)
        made = self._perform("conversations.create", Conversation, options, body=body)
        if every is not None and len(every) > _MOST_ITEMS:
            # Further fields of the body are those of the conversation.
            options.pop("extra_body", None)
            try:
                self.items.create(made.id, items=every[_MOST_ITEMS:], **options)
            except Exception as error:
                error.add_note(
                    f"The conversation {made.id} exists, with its first {_MOST_ITEMS} items."
                )
                raise
        return made

    @shows_parameters(CallOptions)
    def retrieve(self, conversation_id: str, **options: Unpack[CallOptions]) -> Conversation:
        """The description of a conversation; `items.list` returns its messages."""
        return self._perform("conversations.retrieve", Conversation, options, conversation_id)

    @shows_parameters(CallOptions)
    def update(
        self,
        conversation_id: str,
        *,
        metadata: Mapping[str, str] | None,
        **options: Unpack[CallOptions],
    ) -> Conversation:
        """Replace the metadata of a conversation; None removes all of it."""
        body = {"metadata": metadata}
        return self._perform(
            "conversations.update", Conversation, options, conversation_id, body=body
        )

    @shows_parameters(CallOptions)
    def delete(self, conversation_id: str, **options: Unpack[CallOptions]) -> ConversationDeleted:
        """Delete a conversation; its items are not deleted with it."""
        return self._perform("conversations.delete", ConversationDeleted, options, conversation_id)


class ConversationItems(ObjectResource):
    """`client.conversations.items`."""

    @shows_parameters(CallOptions)
    def create(
        self,
        conversation_id: str,
        *,
        items: Iterable[_Item],
        include: Sequence[str] | None = None,
        **options: Unpack[CallOptions],
    ) -> ConversationItemList:
        """Add items at the end of a conversation, in order.

        The service takes at most 20 items in one call. More are sent in several calls, one after
        the other, and the result has all of them. If a call fails, the error has a note that says
        how many items were added before it.

        Args:
            conversation_id: of the conversation.
            items: as the `input` of a response.
            include: what else the result should show of the items.
            options: of each call.
        """
        every = [*items]
        pages: list[ConversationItemList] = []
        for start in range(0, len(every) or 1, _MOST_ITEMS):
            try:
                page = self._perform(
                    "conversations.items.create",
                    ConversationItemList,
                    options,
                    conversation_id,
                    body={"items": every[start : start + _MOST_ITEMS]},
                    query=including(include),
                )
            except Exception as error:
                if pages:
                    error.add_note(f"The first {start} of {len(every)} items were added.")
                raise
            pages.append(page)
        return _joined(pages)

    @shows_parameters(CallOptions)
    def retrieve(
        self,
        item_id: str,
        *,
        conversation_id: str,
        include: Sequence[str] | None = None,
        **options: Unpack[CallOptions],
    ) -> ConversationItem:
        """An item of a conversation."""
        reply = self._perform(
            "conversations.items.retrieve",
            ConversationItemReply,
            options,
            conversation_id,
            item_id,
            query=including(include),
        )
        return reply.item

    @shows_parameters(CallOptions)
    def list(
        self,
        conversation_id: str,
        *,
        after: str | None = None,
        include: Sequence[str] | None = None,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        **options: Unpack[CallOptions],
    ) -> Pages[ConversationItem]:
        """The items of a conversation: iterate for all of them, over as many pages as needed.

        `limit` is the size of a page, 1 to 100, by default 20; `order` is "desc" by default.
        """
        pages = self._list(
            "conversations.items.list",
            # A union of classes, which pydantic takes as well.
            cast(Any, ConversationItem),
            options,
            conversation_id,
            after=after,
            limit=limit,
            order=order,
            **including(include),
        )
        return cast("Pages[ConversationItem]", pages)

    @shows_parameters(CallOptions)
    def delete(
        self, item_id: str, *, conversation_id: str, **options: Unpack[CallOptions]
    ) -> Conversation:
        """Remove an item from a conversation."""
        return self._perform(
            "conversations.items.delete", Conversation, options, conversation_id, item_id
        )


def _joined(pages: Sequence[ConversationItemList]) -> ConversationItemList:
    """The items of all pages, as one reply of the service would have them."""
    joined = pages[0]
    for page in pages[1:]:
        joined.data.extend(page.data)
        joined.last_id = page.last_id
    return joined

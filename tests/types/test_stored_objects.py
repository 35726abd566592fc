"""What the service says of containers, conversations, vector stores, batches, skills, webhooks."""

import json
from typing import Any, get_args

import pytest
from openai import types as sdk
from openai.types import containers as sdk_containers
from openai.types import conversations as sdk_conversations
from openai.types import skills as sdk_skills
from openai.types import vector_stores as sdk_stores
from openai.types import webhooks as sdk_webhooks
from pydantic import BaseModel, ValidationError

from azure_responses import types
from azure_responses.types.conversations import ConversationItemReply
from azure_responses.types.mending import mend
from azure_responses.types.webhooks import read_webhook_event

_PAIRS: list[tuple[type[types.Model], type[BaseModel]]] = [
    (types.Batch, sdk.Batch),
    (types.BatchError, sdk.BatchError),
    (types.BatchRequestCounts, sdk.BatchRequestCounts),
    (types.Usage, sdk.BatchUsage),
    (types.Container, sdk.ContainerCreateResponse),
    (types.Container, sdk.ContainerListResponse),
    (types.Container, sdk.ContainerRetrieveResponse),
    (types.ContainerFile, sdk_containers.FileCreateResponse),
    (types.ContainerFile, sdk_containers.FileListResponse),
    (types.ContainerFile, sdk_containers.FileRetrieveResponse),
    (types.Conversation, sdk_conversations.Conversation),
    (types.ConversationDeleted, sdk_conversations.ConversationDeletedResource),
    (types.ConversationItemList, sdk_conversations.ConversationItemList),
    (types.VectorStore, sdk.VectorStore),
    (types.VectorStoreDeleted, sdk.VectorStoreDeleted),
    (types.VectorStoreFile, sdk_stores.VectorStoreFile),
    (types.VectorStoreFileBatch, sdk_stores.VectorStoreFileBatch),
    (types.VectorStoreFileContent, sdk_stores.FileContentResponse),
    (types.VectorStoreFileDeleted, sdk_stores.VectorStoreFileDeleted),
    (types.VectorStoreSearchResponse, sdk.VectorStoreSearchResponse),
    (types.Skill, sdk.Skill),
    (types.DeletedSkill, sdk.DeletedSkill),
    (types.SkillVersion, sdk_skills.SkillVersion),
    (types.DeletedSkillVersion, sdk_skills.DeletedSkillVersion),
    (types.WebhookEndpoint, sdk_webhooks.WebhookEndpoint),
    (types.WebhookEndpointWithSecret, sdk_webhooks.WebhookEndpointWithSecret),
    (types.DeletedWebhookEndpoint, sdk_webhooks.DeletedWebhookEndpoint),
    (types.WebhookEndpointTestResult, sdk_webhooks.WebhookEndpointTestResult),
    (types.WebhookEventTypeList, sdk_webhooks.WebhookEventTypeList),
]


@pytest.mark.parametrize(("ours", "theirs"), _PAIRS)
def test_every_field_that_the_openai_package_knows_is_a_field(
    ours: type[types.Model], theirs: type[BaseModel]
) -> None:
    assert theirs.model_fields.keys() <= ours.model_fields.keys()


_SAMPLES: list[tuple[type[types.Model], dict[str, Any]]] = [
    (
        types.Batch,
        {
            "id": "batch_1",
            "object": "batch",
            "endpoint": "/v1/responses",
            "input_file_id": "file-1",
            "completion_window": "24h",
            "status": "failed",
            "created_at": 1790000000,
            "error_file_id": "",
            "errors": {
                "object": "list",
                "data": [{"code": "model_mismatch", "line": 2, "message": "no", "param": None}],
            },
            "request_counts": {"total": 3, "completed": 1, "failed": 2},
            "usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
        },
    ),
    (
        types.Container,
        {
            "id": "cntr_1",
            "object": "container",
            "created_at": 1790000000,
            "status": "running",
            "name": "work",
            "expires_after": {"anchor": "last_active_at", "minutes": 20},
            "network_policy": {"type": "disabled"},
            "memory_limit": "1g",
        },
    ),
    (
        types.VectorStore,
        {
            "id": "vs_1",
            "object": "vector_store",
            "created_at": 1790000000.5,
            "name": None,
            "usage_bytes": 12,
            "file_counts": {"in_progress": 1, "completed": 0, "failed": 0, "total": 1},
            "status": "in_progress",
            "expires_after": {"anchor": "last_active_at", "days": 7},
            "metadata": {"team": "law"},
        },
    ),
    (
        types.VectorStoreFile,
        {
            "id": "file-1",
            "object": "vector_store.file",
            "created_at": 1790000000,
            "vector_store_id": "vs_1",
            "status": "failed",
            "last_error": {"code": "unsupported_file", "message": "a picture"},
            "usage_bytes": 0,
            "attributes": {"year": 2026, "draft": False, "author": "x"},
            "chunking_strategy": {
                "type": "static",
                "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
            },
        },
    ),
    (
        types.VectorStoreSearchResponse,
        {
            "file_id": "file-1",
            "filename": "a.txt",
            "score": 0.5,
            "attributes": {},
            "content": [{"type": "text", "text": "found"}],
        },
    ),
    (
        types.Conversation,
        {"id": "conv_1", "object": "conversation", "created_at": 1, "metadata": {"a": "b"}},
    ),
]


@pytest.mark.parametrize(("kind", "sample"), _SAMPLES)
def test_an_object_comes_back_as_it_was_sent_with_fields_that_are_not_known(
    kind: type[types.Model], sample: dict[str, Any]
) -> None:
    sent = {**sample, "from_tomorrow": {"a": [1, None]}}
    assert json.loads(kind.model_validate(sent).to_json()) == sent


@pytest.mark.parametrize(("kind", "sample"), _SAMPLES)
def test_an_object_with_a_field_of_another_type_is_read_all_the_same(
    kind: type[types.Model], sample: dict[str, Any]
) -> None:
    for name in sample.keys() - {"id", "file_id"}:
        sent = {**sample, name: {"neither": ["this", "nor", "that"]}}
        read = mend(kind, sent)
        assert read is not None, name
        assert read.to_dict() == sent, name


@pytest.mark.parametrize("kind", [kind for kind, _ in _SAMPLES])
def test_what_has_no_id_is_another_object(kind: type[types.Model]) -> None:
    assert mend(kind, {"message": "blocked by the proxy"}) is None


@pytest.mark.parametrize("kind", [types.Batch, types.Container, types.VectorStore])
def test_a_status_of_tomorrow_is_kept(kind: Any) -> None:
    read = mend(kind, {"id": "x", "status": "resting"})
    assert read is not None
    assert read.status == "resting"
    assert read.to_dict() == {"id": "x", "status": "resting"}


def test_the_repr_of_an_endpoint_does_not_show_its_secret() -> None:
    endpoint = types.WebhookEndpointWithSecret.model_validate(
        {
            "id": "we_1",
            "created_at": 1,
            "event_types": ["batch.completed"],
            "name": "n",
            "url": "https://example.com",
            "signing_secret": "whsec_c2VjcmV0",
        }
    )
    assert endpoint.signing_secret == "whsec_c2VjcmV0"
    assert "whsec_" not in repr(endpoint)


def test_a_new_endpoint_without_its_secret_is_not_one() -> None:
    with pytest.raises(ValidationError):
        types.WebhookEndpointWithSecret.model_validate(
            {"id": "we_1", "created_at": 1, "event_types": [], "name": "n", "url": "u"}
        )


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "message", "id": "msg_1", "role": "user", "content": []},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "from_tomorrow", "id": "x_1", "more": [1]},
    ],
)
def test_a_single_item_is_read_as_in_a_list(sent: dict[str, Any]) -> None:
    alone = ConversationItemReply.model_validate_json(json.dumps(sent)).item
    listed = types.ConversationItemList.model_validate({"data": [sent]}).data[0]
    assert alone == listed
    assert alone.to_dict() == sent


# --- events ---------------------------------------------------------------------------------------


def _event(kind: str, **more: Any) -> dict[str, Any]:
    event = {"object": "event", "id": "evt_1", "type": kind, "created_at": 1790000000}
    return {**event, "data": {"id": "resp_1"}, **more}


_EVENT_TYPES = [kind for kind in get_args(get_args(types.WebhookEventType)[0])]


@pytest.mark.parametrize("kind", _EVENT_TYPES)
def test_an_event_is_of_the_class_of_its_type(kind: str) -> None:
    sent = _event(kind)
    if kind == "realtime.call.incoming":
        sent["data"] = {"call_id": "rtc_1", "sip_headers": [{"name": "From", "value": "a"}]}
    event = read_webhook_event(json.dumps(sent))
    words = "".join(word.capitalize() for word in kind.replace("_", ".").split("."))
    assert type(event).__name__ == f"{words}WebhookEvent"
    assert event.to_dict() == sent


def test_every_event_of_an_azure_resource_is_known_to_the_openai_package() -> None:
    theirs = sdk_webhooks.webhook_create_params.WebhookCreateParams.__annotations__["event_types"]
    assert all(repr(kind) in repr(theirs) for kind in _EVENT_TYPES)


@pytest.mark.parametrize(
    "sent",
    [
        _event("safety.alert.created"),
        _event("response.completed", data="resp_1"),
        _event("response.completed", data={}),
        {"type": ["odd"]},
        {"data": None},
        {},
    ],
)
def test_an_event_that_is_not_known_is_kept_whole(sent: dict[str, Any]) -> None:
    event = read_webhook_event(json.dumps(sent))
    assert isinstance(event, types.UnknownWebhookEvent)
    assert event.to_dict() == sent


def test_the_object_of_an_unknown_event_has_its_id() -> None:
    event = read_webhook_event(json.dumps(_event("safety.alert.created")))
    assert event.data is not None
    assert isinstance(event.data, types.WebhookData)
    assert event.data.id == "resp_1"


@pytest.mark.parametrize("odd", [{"created_at": "now"}, {"created_at": None}, {"id": 7}])
def test_an_event_with_an_odd_field_keeps_its_class(odd: dict[str, Any]) -> None:
    sent = _event("batch.completed", **odd)
    event = read_webhook_event(json.dumps(sent))
    assert isinstance(event, types.BatchCompletedWebhookEvent)
    assert event.data.id == "resp_1"
    assert event.to_dict() == sent


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"<html>", b'"text"', b"\xff"])
def test_what_is_not_an_object_is_refused(payload: str | bytes) -> None:
    with pytest.raises(ValidationError):
        read_webhook_event(payload)

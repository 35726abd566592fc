"""What is not there: deployments, responses, conversations, items."""

import httpx
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.emulator.callers import V1, create, open_client


def refuse(style: str) -> httpx.Response:
    resource = Resource("r", strict_deployments=True)
    resource.missing_deployment = style  # type: ignore[assignment]
    with open_client(Emulator([resource])) as client:
        return create(client, model="absent")


def test_an_unknown_deployment_is_told_as_recorded() -> None:
    reply = refuse("DeploymentNotFound")
    assert reply.status_code == 404
    assert reply.json() == {
        "error": {
            "type": "invalid_request_error",
            "code": "DeploymentNotFound",
            "message": (
                "The API deployment for this resource does not exist. If you created the "
                "deployment within the last 5 minutes, please wait a moment and try again."
            ),
        }
    }


def test_an_unknown_deployment_can_be_told_in_the_two_other_ways() -> None:
    named = refuse("model_not_found")
    error = named.json()["error"]
    assert (named.status_code, error["code"], error["param"]) == (400, "model_not_found", "model")
    matched = refuse("user_error")
    assert (matched.status_code, matched.json()["error"]["type"]) == (404, "user_error")
    assert matched.json()["error"]["message"].startswith("Could not find an existing deployment")


@pytest.mark.parametrize("body", [{"input": "x"}, {"input": "x", "model": None}, {"model": ""}])
def test_a_body_without_a_model_is_a_model_that_does_not_exist(
    client: httpx.Client, body: dict[str, object]
) -> None:
    reply = client.post(V1, json=body)
    assert reply.status_code == 400
    assert reply.json() == {
        "error": {
            "message": "The requested model '-' with deployment name - does not exist.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
    }


@pytest.mark.parametrize(
    ("value", "named"),
    [(1, "an integer"), (1.5, "a decimal number"), (True, "a boolean"), (["x"], "an array"),
     ({}, "an object")],
)  # fmt: skip
def test_a_model_that_is_no_text_is_an_invalid_type(
    client: httpx.Client, value: object, named: str
) -> None:
    error = create(client, model=value).json()["error"]
    assert (error["code"], error["param"]) == ("invalid_type", "model")
    assert named in error["message"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b"\xff\xfe{", b'{"top_p":NaN}', b'{"input":"\\ud800"}']
)
def test_a_body_that_is_no_json_object_is_refused(client: httpx.Client, body: bytes) -> None:
    reply = client.post(V1, content=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("We could not parse the JSON body")


def test_escaped_text_is_taken_as_the_text_it_stands_for(client: httpx.Client) -> None:
    reply = client.post(V1, content=b'{"model":"gpt-4.1","input":"\\ud83d\\ude00"}')
    assert reply.status_code == 200


@pytest.mark.parametrize("model", ["gpt-5.1-codex", "o1-pro", "gpt-5-pro"])
def test_chat_is_refused_for_models_of_the_responses_api_alone(
    client: httpx.Client, model: str
) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "Say hello"}]}
    reply = client.post("/openai/v1/chat/completions", json=body)
    assert reply.status_code == 400
    assert reply.json() == {
        "error": {
            "code": "OperationNotSupported",
            "message": (
                "The chatCompletion operation does not work with the specified model, "
                f"{model}. Please choose a different model and try again. You can learn more "
                "about which models can be used with each operation here: "
                "https://go.microsoft.com/fwlink/?linkid=2197993 ."
            ),
        }
    }
    assert create(client, model=model).status_code == 200


def test_chat_with_a_reasoning_model_needs_a_newer_dated_version() -> None:
    resource = Resource("r", deployments=[EmulatedDeployment("mine", "o4-mini")])
    body = {"messages": [{"role": "user", "content": "Say hello"}]}
    path = "/openai/deployments/mine/chat/completions?api-version="
    with open_client(Emulator([resource])) as client:
        old = client.post(path + "2024-10-21", json=body)
        new = client.post(path + "2024-12-01-preview", json=body)
        absent = client.post(path.replace("mine", "x") + "2024-02-01", json=body)
    message = "Model o4-mini is enabled only for api versions 2024-12-01-preview and later"
    assert old.status_code == 400
    assert old.json() == {"error": {"code": "BadRequest", "message": message}}
    assert new.status_code == 200
    assert absent.json()["error"]["code"] == "DeploymentNotFound"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_response_is_not_found(client: httpx.Client, method: str) -> None:
    reply = client.request(method, f"{V1}/resp_0")
    message = "Response with id 'resp_0' not found."
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == message


def test_an_unknown_previous_response_is_a_400_with_its_code(client: httpx.Client) -> None:
    reply = create(client, previous_response_id="resp_0")
    assert reply.status_code == 400
    assert reply.json() == {
        "error": {
            "message": "Previous response with id 'resp_0' not found.",
            "type": "invalid_request_error",
            "param": "previous_response_id",
            "code": "previous_response_not_found",
        }
    }

from azure_responses.types import ModelList


def test_models_carry_what_azure_adds() -> None:
    listed = {
        "object": "list",
        "data": [
            {
                "id": "gpt-5-mini-2025-08-07",
                "object": "model",
                "status": "succeeded",
                "created_at": 1754000000,
                "lifecycle_status": "generally-available",
                "capabilities": {"fine_tune": False, "chat_completion": True},
                "deprecation": {"inference": 1830000000},
            },
            {"id": "gpt-5", "object": "model", "created": 1754000000, "owned_by": "openai"},
        ],
    }
    models = ModelList.model_validate(listed)
    azure, plain = models.data
    assert azure.capabilities is not None
    assert azure.capabilities.chat_completion
    assert azure.deprecation is not None
    assert azure.deprecation.inference == 1830000000
    assert plain.owned_by == "openai"
    assert models.to_dict() == listed

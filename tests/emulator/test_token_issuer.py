"""Tokens and the credentials that hand them out."""

import anyio

from azure_responses.emulator import Emulator
from azure_responses.emulator.token_issuer import TokenIssuer
from tests.emulator.callers import BEGIN


def test_a_token_carries_the_claims_it_was_asked_for(emulator: Emulator) -> None:
    token = emulator.issuer.mint("https://ai.azure.com", roles=["Reader"], object_id="me")
    claims = emulator.issuer.read(token)
    assert claims is not None
    assert (claims["aud"], claims["roles"], claims["oid"]) == (
        "https://ai.azure.com",
        ["Reader"],
        "me",
    )
    assert (claims["nbf"], claims["exp"]) == (int(BEGIN), int(BEGIN) + 3600)


def test_a_token_signed_by_somebody_else_is_not_read(emulator: Emulator) -> None:
    import jwt

    forged = jwt.encode({"aud": "x"}, "a secret of at least thirty-two bytes", algorithm="HS256")
    assert emulator.issuer.read(forged) is None


def test_reading_more_tokens_than_are_remembered_still_reads(emulator: Emulator) -> None:
    from azure_responses.emulator import token_issuer as module

    issuer = TokenIssuer(emulator.clock)
    first = issuer.mint()
    issuer._verified = {str(number): {} for number in range(module._REMEMBERED)}
    assert issuer.read(first) == issuer.read(first)
    assert len(issuer._verified) == 1


def test_a_credential_asks_for_the_audience_of_its_scope(emulator: Emulator) -> None:
    with emulator.token_credential() as credential:
        token = credential.get_token("https://ai.azure.com/.default")
    claims = emulator.issuer.read(token.token)
    assert claims is not None
    assert claims["aud"] == "https://ai.azure.com"
    assert token.expires_on == int(BEGIN) + 3600
    assert credential.calls == [("https://ai.azure.com/.default",)]


def test_a_credential_can_be_made_to_hand_out_the_wrong_audience(emulator: Emulator) -> None:
    credential = emulator.token_credential(audience="https://graph.microsoft.com", lifetime=60)
    token = credential.get_token("https://ai.azure.com/.default")
    claims = emulator.issuer.read(token.token)
    assert claims is not None
    assert claims["aud"] == "https://graph.microsoft.com"
    assert token.expires_on == int(BEGIN) + 60


def test_a_credential_needs_no_scope(emulator: Emulator) -> None:
    claims = emulator.issuer.read(emulator.token_credential().get_token().token)
    assert claims is not None
    assert claims["aud"] == "https://cognitiveservices.azure.com"


def test_the_asynchronous_credential_is_the_same(emulator: Emulator) -> None:
    async def ask() -> str:
        async with emulator.async_token_credential() as credential:
            token = await credential.get_token("https://ai.azure.com/.default")
            assert credential.calls == [("https://ai.azure.com/.default",)]
            return token.token

    claims = emulator.issuer.read(anyio.run(ask))
    assert claims is not None
    assert claims["aud"] == "https://ai.azure.com"

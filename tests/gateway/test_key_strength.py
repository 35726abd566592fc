import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.key_strength import check_exposure, find_weakness, is_loopback
from azure_responses.gateway.key_table import MASTER, StoredKey, hash_key, make_key
from azure_responses.gateway.schema import GatewaySettings


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "a.localhost", "::ffff:127.0.0.1"],
)
def test_loopback_addresses_are_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "", "10.0.0.1", "gateway.example", "127.0.0.1.example", "fe80::1%eth0"],
)
def test_every_other_address_is_reached_by_others(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "key",
    [
        *("sk-1234", "your-api-key", "changeme", "test", "SK-1234", "short-key-12345"),
        *("your-very-long-api-key-here", "aaaaaaaaaaaaaaaaaaaaaaaa", "sk-placeholder-0123456789"),
    ],
)
def test_a_key_that_can_be_guessed_is_weak(key: str) -> None:
    weakness = find_weakness(key)
    assert weakness
    assert key not in weakness


def test_a_key_of_ours_is_not_weak() -> None:
    assert find_weakness(make_key()) is None


def _settings(weakest: str | None = None, *, is_open: bool = False) -> GatewaySettings:
    keys = (StoredKey(MASTER, hash_key("k")),)
    return GatewaySettings(keys=keys, weakest_key=weakest, allow_unauthenticated=is_open)


def test_on_a_loopback_address_anything_goes() -> None:
    check_exposure(GatewaySettings(), "127.0.0.1")
    check_exposure(_settings("general_settings.master_key is weak"), "localhost")


def test_a_gateway_without_a_key_does_not_listen_to_others() -> None:
    with pytest.raises(ConfigurationError, match="no key is configured") as caught:
        check_exposure(GatewaySettings(), "0.0.0.0")
    assert "master_key" in str(caught.value.hint)


def test_a_gateway_with_a_weak_key_does_not_listen_to_others() -> None:
    with pytest.raises(ConfigurationError, match=r"master_key is weak") as caught:
        check_exposure(_settings("general_settings.master_key is weak"), "")
    assert "token_urlsafe" in str(caught.value.hint)


def test_keys_in_a_database_are_keys() -> None:
    check_exposure(GatewaySettings(), "0.0.0.0", has_stored_keys=True)


def test_a_strong_key_or_the_operators_word_opens_every_address() -> None:
    check_exposure(_settings(), "0.0.0.0")
    check_exposure(GatewaySettings(allow_unauthenticated=True), "0.0.0.0")

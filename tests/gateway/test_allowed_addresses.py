"""The addresses from which callers may call."""

from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from azure_responses.gateway.allowed_addresses import check_address, read_networks
from tests.gateway.gateways import KEY, config_of, serve


def _may_call(address: str, *forwarded: str, trusts_proxy: bool = False) -> bool:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    scope: dict[str, Any] = {"client": (address, 5000) if address else None, "headers": headers}
    networks = read_networks(["10.1.2.3", "192.168.0.0/16", "2001:db8::/32"])
    return check_address(networks, scope, trusts_proxy=trusts_proxy) is None


def test_the_peer_has_to_be_one_of_the_addresses_or_in_a_network() -> None:
    assert _may_call("10.1.2.3")
    assert _may_call("::ffff:10.1.2.3")
    assert _may_call("192.168.7.1")
    assert _may_call("2001:db8::5")
    assert not _may_call("10.1.2.4")
    assert not _may_call("")
    assert check_address((), {"client": None, "headers": []}, trusts_proxy=False) is None


def test_a_forwarded_address_counts_only_behind_a_trusted_proxy() -> None:
    assert not _may_call("10.9.9.9", "10.1.2.3")
    assert _may_call("10.9.9.9", "10.1.2.3", trusts_proxy=True)
    # A caller can send what stands before the address that the proxy has added.
    assert not _may_call("10.9.9.9", "10.1.2.3, 8.8.8.8", trusts_proxy=True)
    assert not _may_call("10.9.9.9", "10.1.2.3", "8.8.8.8", trusts_proxy=True)
    assert _may_call("10.9.9.9", "8.8.8.8", "8.8.4.4, 10.1.2.3", trusts_proxy=True)
    assert not _may_call("10.1.2.3", "unknown", trusts_proxy=True)
    assert _may_call("10.1.2.3", trusts_proxy=True)


@pytest.mark.parametrize("value", [[], 5, {"10.1.2.3": True}, ["10.1.2"], [None], "here"])
def test_what_is_no_address_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is not a list of addresses|has no address"):
        read_networks(value)


def test_one_address_may_stand_alone() -> None:
    assert [str(network) for network in read_networks("10.1.2.3")] == ["10.1.2.3/32"]


def test_a_gateway_refuses_every_call_from_other_addresses_but_not_probes() -> None:
    general: dict[str, Any] = {"allowed_ips": ["10.1.2.3"], "use_x_forwarded_for": True}
    config = config_of("http://127.0.0.1:9", "a", **general)
    with serve(config) as gateway, gateway.client() as client:
        for path in ("/v1/models", "/metrics", "/v1/nothing"):
            reply = client.get(path)
            assert (reply.status_code, reply.json()["error"]["code"]) == (
                403,
                "address_not_allowed",
            )
        assert client.get("/health/liveliness").status_code == 200
        forwarded = {"x-forwarded-for": "8.8.8.8, 10.1.2.3"}
        assert client.get("/v1/models", headers=forwarded).status_code == 200
        headers = {"authorization": f"Bearer {KEY}"}
        target = gateway.url.replace("http", "ws", 1) + "/v1/responses"
        with pytest.raises(InvalidStatus) as refused:
            connect(target, additional_headers=headers)
        assert refused.value.response.status_code == 403
        connect(target, additional_headers={**headers, **forwarded}).close()

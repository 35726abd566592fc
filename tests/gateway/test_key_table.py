from azure_responses.gateway.key_table import (
    ApiCaller,
    KeyTable,
    StoredKey,
    hash_key,
    make_key,
    make_key_id,
)


def _store(name: str, key: str) -> StoredKey:
    return StoredKey(ApiCaller(key_id=name), hash_key(key))


def test_a_key_has_256_random_bits() -> None:
    keys = {make_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("sk-") and len(key) == 3 + 43 for key in keys)


def test_an_id_says_nothing_of_the_key() -> None:
    assert len({make_key_id() for _ in range(100)}) == 100


def test_a_caller_is_found_by_the_key_alone() -> None:
    table = KeyTable([_store("a", "sk-a"), _store("b", "sk-b")])
    found = table.find("sk-b")
    assert found is not None
    assert found.key_id == "b"
    assert table.find("sk-c") is None
    assert table.find("") is None
    assert table.find("\ud800") is None


def test_what_a_database_holds_replaces_what_it_held() -> None:
    table = KeyTable([_store("fixed", "sk-f")])
    table.replace([_store("a", "sk-a")])
    table.replace([_store("b", "sk-b")])
    assert {caller.key_id for caller in table.callers()} == {"fixed", "b"}
    assert table.find("sk-a") is None


def test_a_database_cannot_take_over_a_key_of_the_configuration() -> None:
    table = KeyTable([_store("fixed", "sk-f")])
    table.replace([_store("thief", "sk-f")])
    found = table.find("sk-f")
    assert found is not None
    assert found.key_id == "fixed"


def test_no_hash_is_shown() -> None:
    stored = _store("a", "sk-a")
    assert hash_key("sk-a").hex() not in repr(stored)
    assert str(hash_key("sk-a")) not in repr(stored)


def test_a_hash_that_only_hashes_alike_is_not_enough() -> None:
    table = KeyTable([_store("a", "sk-a")])
    # As if the dictionary had found an entry of another hash.
    stored = StoredKey(ApiCaller(key_id="b"), b"0" * 32)
    table._keys = {hash_key("sk-x"): stored}
    assert table.find("sk-x") is None

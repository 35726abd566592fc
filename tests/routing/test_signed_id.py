"""Labels of ids and ciphertexts."""

import json
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from azure_responses.errors import BadRequestError, ConfigurationError, ResponseNotFoundError
from azure_responses.routing.signed_id import (
    MARKER,
    IdSigner,
    SignedId,
    from_base64,
    is_label,
    make_tag,
    pack,
    split_prefix,
    to_base64,
    unpack,
)

from .affinity_samples import EAST, LABELLER, RESPONSE_ID, SECRET, ciphertext, id_of

_SAFE = frozenset(string.ascii_letters + string.digits + "_-")
_PREFIXES = ["resp_", "rs_", "msg_", "fc_", "conv_", "cntr_", "vs_", "file-", "assistant-", "x_"]
_INNER = st.one_of(
    st.text(),
    st.builds(str.__add__, st.sampled_from(_PREFIXES), st.text("0123456789abcdef", min_size=1)),
    st.builds(str.__add__, st.sampled_from(_PREFIXES), st.text(sorted(_SAFE))),
)
_OWNERS = st.none() | st.text()


def _other(inner: str) -> IdSigner:
    return IdSigner([inner.encode() + b" is another secret"])


@given(_INNER, _OWNERS)
@example("azr1_" + "a" * 40, None)
@example("file-" + "é" * 80, "somebody")
def test_an_id_of_any_shape_survives(inner: str, owner: str | None) -> None:
    text = json.loads(json.dumps(id_of(inner, owner=owner)))
    assert LABELLER.read(text, owner) == SignedId(inner, EAST.tag, EAST.resource)
    assert set(text) <= _SAFE
    assert text == id_of(inner, owner=owner)
    assert is_label(text)


@given(_INNER, st.data())
@example("resp_" + "0" * 50, None)
def test_a_changed_character_is_refused(inner: str, data: st.DataObject | None) -> None:
    text = id_of(inner)
    places = range(len(text)) if data is None else [data.draw(st.integers(0, len(text) - 1))]
    for place in places:
        character = "Z" if data is None else data.draw(st.sampled_from(sorted(_SAFE)))
        changed = text[:place] + character + text[place + 1 :]
        if changed != text:
            _is_refused_or_not_ours(changed)


@given(_INNER, st.data())
def test_a_shortened_or_lengthened_label_is_refused(inner: str, data: st.DataObject) -> None:
    text = id_of(inner)
    _is_refused_or_not_ours(text[: data.draw(st.integers(0, len(text) - 1))])
    _is_refused_or_not_ours(text + data.draw(st.sampled_from(sorted(_SAFE))))
    _is_refused_or_not_ours(data.draw(st.sampled_from(sorted(_SAFE))) + text)


def _is_refused_or_not_ours(text: str) -> None:
    if is_label(text):
        with pytest.raises(ResponseNotFoundError, match="affinity_secret"):
            LABELLER.read(text)
    else:
        assert LABELLER.read(text) is None


_COPIES = st.lists(
    st.tuples(st.text("0123456789abcdef", min_size=8, max_size=8), _INNER), min_size=2, max_size=8
).filter(lambda copies: all(len(inner) < 60 for _, inner in copies))


@given(_COPIES, _OWNERS)
def test_the_copies_of_a_file_share_one_label(
    copies: list[tuple[str, str]], owner: str | None
) -> None:
    text = LABELLER.label_copies(copies, owner)
    assert set(text) <= _SAFE
    assert text == LABELLER.label_copies(copies, owner)
    found = LABELLER.read(text, owner)
    first, inner = copies[0]
    assert found == SignedId(inner, first, first, tuple(copies))
    assert found is not None
    assert found.places == tuple(copies)
    assert found.at(copies[-1][0]) == copies[-1][1]
    assert found.at("nowhere") == inner
    assert split_prefix(text)[0] == (split_prefix(inner)[0] or "id_")


@given(_COPIES, st.data())
def test_a_label_of_copies_that_was_changed_is_refused(
    copies: list[tuple[str, str]], data: st.DataObject
) -> None:
    text = LABELLER.label_copies(copies)
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.sampled_from(sorted(_SAFE))) + text[place + 1 :]
    if changed != text:
        _is_refused_or_not_ours(changed)
    _is_refused_or_not_ours(text[:place])


def test_copies_of_another_owner_are_unknown() -> None:
    text = LABELLER.label_copies([("0" * 8, "file-a"), ("1" * 8, "file-b")], "me")
    for owner in (None, "them"):
        with pytest.raises(ResponseNotFoundError):
            LABELLER.read(text, owner)


def test_a_label_of_copies_stays_short() -> None:
    copies = [(f"{n:08}", f"assistant-{'Ab1' * 8}") for n in range(8)]
    lengths = [len(LABELLER.label_copies(copies[:n])) for n in (2, 3, 8)]
    assert lengths == [93, 125, 285]


@pytest.mark.parametrize("copies", [0, 1, 9])
def test_one_file_or_too_many_are_not_copies(copies: int) -> None:
    with pytest.raises(ValueError, match="2 to 8 copies"):
        LABELLER.label_copies([("0" * 8, "file-a")] * copies)


def test_a_text_that_is_too_long_is_not_an_id() -> None:
    with pytest.raises(ValueError, match="too long for an id"):
        LABELLER.label_copies([("0" * 8, "file-a"), ("1" * 8, "file-" + "x y" * 100)])


@given(_OWNERS, _OWNERS)
def test_an_owners_label_is_unknown_to_everybody_else(owner: str | None, other: str | None) -> None:
    assume(owner != other)
    text = id_of(RESPONSE_ID, owner=owner)
    if owner is None:
        assert LABELLER.read(text, other) is not None
        return
    with pytest.raises(ResponseNotFoundError) as raised:
        LABELLER.read(text, other, "input[0].id")
    assert raised.value.status_code == 404
    assert raised.value.param == "input[0].id"


def test_another_owners_label_and_a_forged_one_are_refused_alike() -> None:
    texts = id_of(RESPONSE_ID, owner="ann"), f"resp_{MARKER}" + "A" * 56
    refusals = []
    for text in texts:
        with pytest.raises(ResponseNotFoundError) as raised:
            LABELLER.read(text, "bob")
        refusals.append(str(raised.value).replace(text, "…"))
    assert refusals[0] == refusals[1]


def test_a_label_moved_to_another_prefix_is_refused() -> None:
    text = id_of(RESPONSE_ID).replace("resp_", "conv_")
    with pytest.raises(ResponseNotFoundError):
        LABELLER.read(text)


def test_labels_of_the_recorded_kinds_have_these_lengths() -> None:
    lengths = {inner: len(id_of(inner, owner="ann")) for inner in (RESPONSE_ID, "rs_" + "a" * 48)}
    assert list(lengths.values()) == [66, 63]
    assert len(ciphertext("gAAAA")) - len("gAAAA") == 28


def test_nothing_of_the_id_can_be_read() -> None:
    text = id_of(RESPONSE_ID)
    assert RESPONSE_ID[5:] not in text
    assert EAST.tag not in text
    # Two ids that differ in one digit have nothing else in common.
    other = id_of(RESPONSE_ID[:-1] + "b")
    assert sum(a == b for a, b in zip(text[10:], other[10:], strict=True)) < 10


@pytest.mark.parametrize("text", ["", "resp_abc", "azr1_", "hello azr1_ world", "_azr1_abc"])
def test_what_is_no_label_is_not_ours(text: str) -> None:
    assert LABELLER.read(text) is None
    assert not is_label(text)


def test_an_older_secret_still_reads_and_the_first_one_signs() -> None:
    new = b"another secret of enough bytes !"
    both = IdSigner([new, SECRET])
    assert both.read(id_of(RESPONSE_ID)) is not None
    assert both.read_ciphertext(ciphertext("gAAAA")) is not None
    signed = both.label_id(RESPONSE_ID, deployment_tag=EAST.tag, resource_tag=EAST.resource)
    assert IdSigner([new]).read(signed) is not None
    with pytest.raises(ResponseNotFoundError):
        LABELLER.read(signed)


@given(st.text(), st.text())
def test_a_ciphertext_survives_and_another_secret_refuses_it(inner: str, secret: str) -> None:
    text = json.loads(json.dumps(ciphertext(inner)))
    assert LABELLER.read_ciphertext(text) == SignedId(inner, EAST.tag, EAST.resource)
    with pytest.raises(BadRequestError) as raised:
        _other(secret).read_ciphertext(text, "input[1].encrypted_content")
    assert raised.value.code == "invalid_encrypted_content"
    assert raised.value.param == "input[1].encrypted_content"


@pytest.mark.parametrize("place", [5, 20, 27, 30])
def test_an_altered_ciphertext_is_refused(place: int) -> None:
    text = ciphertext("gAAAA")
    changed = "A" if text[place] != "A" else "B"
    with pytest.raises(BadRequestError, match="could not be verified"):
        LABELLER.read_ciphertext(text[:place] + changed + text[place + 1 :])


def test_a_shortened_ciphertext_is_refused() -> None:
    with pytest.raises(BadRequestError, match="could not be verified"):
        LABELLER.read_ciphertext(MARKER + "AAAA")


def test_a_ciphertext_without_label_is_not_ours() -> None:
    assert LABELLER.read_ciphertext("gAAAAABo") is None


@pytest.mark.parametrize("secrets", [[], [b"short"], [SECRET, b""]])
def test_a_secret_has_sixteen_bytes(secrets: list[bytes]) -> None:
    with pytest.raises(ConfigurationError, match="16 bytes"):
        IdSigner(secrets)


@pytest.mark.parametrize(("deployment", "resource"), [("east", "west"), ("ab", "cd" * 7)])
def test_tags_are_eight_hexadecimal_digits(deployment: str, resource: str) -> None:
    assert len(make_tag("x")) == 8
    with pytest.raises(ConfigurationError, match="tags"):
        LABELLER.label_id("resp_a", deployment_tag=deployment, resource_tag=resource)


def test_a_secret_is_not_shown() -> None:
    assert "secret" not in repr(LABELLER).lower()


def test_the_authenticator_is_hmac_sha256() -> None:
    from hmac import digest

    from azure_responses.routing.signed_id import _Hmac

    for length in (0, 32, 64):
        key = b"k" * length
        assert _Hmac(key).seal(b"message") == digest(key, b"message", "sha256")[:8]


_IDS = st.one_of(
    st.text(),
    st.text("0123456789abcdef"),
    st.text("0123456789ABCDEFabcdef _-"),
    st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_="),
)


@given(_IDS)
def test_what_is_packed_is_unpacked_unchanged(rest: str) -> None:
    assert unpack(*pack(rest)) == rest


@given(_IDS)
def test_prefix_and_rest_make_the_id(inner: str) -> None:
    assert "".join(split_prefix(inner)) == inner


@pytest.mark.parametrize(
    ("inner", "prefix"),
    [
        ("resp_0742", "resp_"),
        ("file-Ebzh", "file-"),
        ("assistant-68_ca", "assistant-"),
        ("cntr_", "cntr_"),
        ("0742_a", ""),
        ("plain", ""),
        ("", ""),
    ],
)
def test_the_prefix_ends_with_the_first_separator(inner: str, prefix: str) -> None:
    assert split_prefix(inner)[0] == prefix


@pytest.mark.parametrize(
    ("rest", "length"), [("0742d30c", 4), ("742d30c", 4), ("Ebzhf8H4", 6), ("héllo", 6)]
)
def test_digits_and_letters_are_packed(rest: str, length: int) -> None:
    assert len(pack(rest)[1]) == length


@given(st.binary(max_size=80))
def test_base64_has_one_form_only(data: bytes) -> None:
    text = to_base64(data)
    assert "=" not in text
    assert from_base64(text) == data


@pytest.mark.parametrize("text", ["A", "AB=", "AB==", "AR", "A+==", "é"])
def test_base64_of_another_form_is_not_read(text: str) -> None:
    assert from_base64(text) is None

"""Pages of lists."""

import pytest

from azure_responses.types.files import FileObject
from azure_responses.types.page import Page


def _page(body: str) -> Page[FileObject]:
    return Page[FileObject].model_validate_json(body)


_FILE = '{"id":"f1","bytes":1,"created_at":1,"filename":"a","purpose":"batch","status":"x"}'


@pytest.mark.parametrize(
    ("body", "position"),
    [
        (f'{{"data":[{_FILE}],"has_more":true,"last_id":"z"}}', "z"),
        (f'{{"data":[{_FILE}],"has_more":true}}', "f1"),
        (f'{{"data":[{_FILE}]}}', "f1"),
        (f'{{"data":[{_FILE}],"has_more":false,"last_id":"z"}}', None),
        ('{"data":[],"has_more":true}', None),
        ("{}", None),
    ],
)
def test_the_next_page_begins_after_the_last_object(body: str, position: str | None) -> None:
    assert _page(body).next_position == position


def test_a_list_under_the_name_value_is_read_as_well() -> None:
    page = _page(f'{{"value":[{_FILE}],"x":1}}')
    assert [file.id for file in page.data] == ["f1"]
    assert page.model_extra == {"x": 1}
    assert _page(f'{{"data":[{_FILE}],"value":1}}').data[0].bytes == 1

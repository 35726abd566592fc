from azure_responses.gateway.asgi_reply import error_response


def test_a_refusal_has_the_shape_of_openai() -> None:
    response = error_response(403, "No.", code="no", type="t", param="model")
    assert response.body == {
        "error": {"message": "No.", "type": "t", "param": "model", "code": "no"}
    }
    assert response.code == "no"
    assert response.headers == {}


def test_the_wait_is_rounded_up_in_headers_and_exact_beside_them() -> None:
    response = error_response(429, "Wait.", code="c", retry_after=1.2004)
    assert response.headers == {"retry-after": "2", "retry-after-ms": "1201"}
    assert response.retry_after == 1.2004


def test_a_wait_of_nothing_is_the_shortest_there_is() -> None:
    assert error_response(429, "Wait.", code="c", retry_after=0.0).headers["retry-after"] == "1"


def test_further_headers_stand_beside_the_hints() -> None:
    response = error_response(
        429, "Wait.", code="c", retry_after=1, headers={"x-should-retry": "false"}
    )
    assert response.headers["x-should-retry"] == "false"
    assert response.headers["retry-after"] == "1"

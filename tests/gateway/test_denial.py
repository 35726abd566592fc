from azure_responses.gateway.denial import deny


def test_a_refusal_has_the_shape_of_openai() -> None:
    denial = deny(403, "No.", code="no", type="t", param="model")
    assert denial.body == {"error": {"message": "No.", "type": "t", "param": "model", "code": "no"}}
    assert denial.code == "no"
    assert denial.headers == {}


def test_the_wait_is_rounded_up_in_headers_and_exact_beside_them() -> None:
    denial = deny(429, "Wait.", code="c", retry_after=1.2004)
    assert denial.headers == {"retry-after": "2", "retry-after-ms": "1201"}
    assert denial.retry_after == 1.2004


def test_a_wait_of_nothing_is_the_shortest_there_is() -> None:
    assert deny(429, "Wait.", code="c", retry_after=0.0).headers["retry-after"] == "1"


def test_further_headers_stand_beside_the_hints() -> None:
    denial = deny(429, "Wait.", code="c", retry_after=1, headers={"x-should-retry": "false"})
    assert denial.headers["x-should-retry"] == "false"
    assert denial.headers["retry-after"] == "1"

"""How many retries a router allows itself."""

from azure_responses.routing.failure_policy import RetryBudget


def test_retries_follow_calls_at_the_ratio() -> None:
    budget = RetryBudget(0.25, 0.0)
    budget.withdraw(0.0)
    assert not budget.has_retry(0.0)
    for _ in range(4):
        budget.deposit()
    assert budget.has_retry(0.0)


def test_time_alone_allows_a_few() -> None:
    budget = RetryBudget(0.0, 1.0)
    for _ in range(10):
        assert budget.has_retry(0.0)
        budget.withdraw(0.0)
    assert not budget.has_retry(0.5)
    assert budget.has_retry(1.0)


def test_what_is_saved_up_is_bounded() -> None:
    budget = RetryBudget(1.0, 1.0)
    for _ in range(100):
        budget.deposit()
    for _ in range(10):
        budget.withdraw(1000.0)
    assert not budget.has_retry(1000.0)


def test_none_allowed_means_none() -> None:
    budget = RetryBudget(0.0, 0.0)
    budget.deposit()
    assert not budget.has_retry(9.0)

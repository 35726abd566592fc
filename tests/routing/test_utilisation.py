"""How full a provisioned deployment is."""

import pytest

from azure_responses.routing.quota import Utilisation


@pytest.mark.parametrize("text", ["90%", "90", " 90.0% "])
def test_a_report_drains_as_the_minute_passes(text: str) -> None:
    utilisation = Utilisation()
    utilisation.observe(text, 0.0)
    assert utilisation.share(0.0) == pytest.approx(0.9)
    assert utilisation.share(30.0) == pytest.approx(0.4)
    assert utilisation.share(59.0) == 0.0
    assert utilisation.share(60.0) is None


@pytest.mark.parametrize("text", [None, "", "much", "-5", "inf", "nan"])
def test_what_is_no_share_is_passed_over(text: str | None) -> None:
    utilisation = Utilisation()
    utilisation.observe(text, 0.0)
    assert utilisation.share(0.0) is None


def test_the_weight_of_a_token_is_learnt() -> None:
    utilisation = Utilisation()
    utilisation.observe("50%", 0.0)
    utilisation.add(1000)
    assert utilisation.share(0.0) == pytest.approx(0.5)
    # 1000 tokens of a capacity of 10000 a minute, while a tenth of a minute drains as much.
    utilisation.observe("50%", 6.0)
    utilisation.add(2500)
    assert utilisation.share(6.0) == pytest.approx(0.75)
    utilisation.add(-500)
    assert utilisation.share(6.0) == pytest.approx(0.7)


def test_an_empty_deployment_teaches_nothing() -> None:
    utilisation = Utilisation()
    utilisation.observe("0%", 0.0)
    utilisation.add(1000)
    utilisation.observe("10%", 1.0)
    utilisation.observe("90%", 100.0)
    utilisation.add(1000)
    assert utilisation.share(100.0) == pytest.approx(0.9)

"""Every setting has one source in the resource, or a reason for none."""

from itertools import chain

from genai_contract.config import AppConfig, AppSecrets
from genai_contract.resource import FOLLOWED, OUTSIDE, WORKED_OUT


def test_every_setting_is_in_exactly_one_table() -> None:
    named = list(chain(FOLLOWED, WORKED_OUT, OUTSIDE))
    assert sorted(named) == sorted(chain(AppConfig.model_fields, AppSecrets.model_fields))


def test_no_two_settings_follow_the_same_field() -> None:
    assert len(set(FOLLOWED.values())) == len(FOLLOWED)

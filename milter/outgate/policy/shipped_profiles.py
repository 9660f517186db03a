"""The profiles that there are before anybody wrote a line of configuration."""

from collections.abc import Mapping

from outgate.model.limit import Count, Per
from outgate.model.units import Rate
from outgate.policy.settings import ProfileSettings
from outgate.policy.shipped import SHIPPED_LIMITS

NORMAL = "normal"
"""The profile of every customer that has no other, also of one that nobody configured."""

_TRUSTED_TIMES = 4


def _rates(**rates: str) -> Mapping[str, Rate]:
    return {name.replace("_", "-"): Rate.parse(text) for name, text in rates.items()}


# Fifteen friends are no campaign, whoever writes to them.
_PROBATION = _rates(
    strangers_per_campaign="15/7d",
    strangers_per_customer_daily="200/1d",
    strangers_per_login_daily="50/1d",
    strangers_per_local_user_daily="20/1d",
    strangers_per_client_daily="100/1d",
    messages_per_login_hourly="500/1h",
    messages_per_local_user_hourly="500/1h",
    messages_per_client_hourly="500/1h",
    recipients_per_customer_daily="2000/1d",
)
# A multiple of what counts mail of the customer's own. Not of networks: a login that is
# seen everywhere has been stolen, whosever it is; nor of a list's readers, who asked for it.
_TRUSTED = {
    limit.name: Rate(limit.rate.count * _TRUSTED_TIMES, limit.rate.period)
    for limit in SHIPPED_LIMITS
    if limit.rate is not None
    and limit.count in {Count.STRANGERS, Count.MESSAGES, Count.RECIPIENTS}
    and limit.per is not Per.LIST
}
# Who asked for a list is no stranger to it (`outgate optin`), so strangers stay as they are.
_LIST_HOST = _rates(
    messages_per_login_hourly="100000/1h",
    messages_per_local_user_hourly="100000/1h",
    messages_per_client_hourly="100000/1h",
    recipients_per_list_daily="1000000/1d",
    recipients_per_customer_daily="1000000/1d",
)

SHIPPED_PROFILES = (
    ProfileSettings(name=NORMAL),
    ProfileSettings(name="probation", limits=_PROBATION),
    ProfileSettings(name="trusted", limits=_TRUSTED),
    ProfileSettings(name="list-host", limits=_LIST_HOST),
)


def merge_profiles(
    configured: tuple[ProfileSettings, ...],
) -> Mapping[str, ProfileSettings]:
    """Shipped profiles by name, changed and extended by configured ones.

    A configured one has what it keeps of the shipped one in it already: see
    `kept_limits`.
    """
    return {profile.name: profile for profile in (*SHIPPED_PROFILES, *configured)}


def kept_limits(name: str, given: Mapping[str, object]) -> Mapping[str, Rate]:
    """Rates of a shipped profile that a configured one of its name does not replace.

    Args:
        name: the profile's.
        given: by limit name or count word: a count word replaces all rates of its count.
    """
    return {
        limit: rate
        for profile in SHIPPED_PROFILES
        if profile.name == name
        for limit, rate in profile.limits.items()
        if limit not in given and _COUNTS[limit] not in given
    }


_COUNTS = {limit.name: limit.count.value for limit in SHIPPED_LIMITS}

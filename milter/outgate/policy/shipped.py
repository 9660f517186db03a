"""The limits that hold before anybody wrote a line of configuration."""

from outgate.model.limit import Count, Per
from outgate.model.units import Rate
from outgate.model.verdict import Action
from outgate.policy.settings import LimitSettings


def _shipped(
    name: str, per: Per, count: Count, rate: str, action: Action, share: int = 0
) -> LimitSettings:
    return LimitSettings(
        name=name,
        per=per,
        count=count,
        rate=Rate.parse(rate),
        action=action,
        share=share,
    )


# Strangers tell bulk mail from a busy office; plain numbers only bound what a machine
# that runs wild can do. A login's excess is held, since the person behind it has
# written real mail too; a client's is deferred, since it is a machine that retries.
SHIPPED_LIMITS = (
    _shipped(
        "strangers-per-campaign",
        Per.CAMPAIGN,
        Count.STRANGERS,
        "50/7d",
        Action.QUARANTINE,
        share=60,
    ),
    # However many logins, addresses and certificates a customer has.
    _shipped(
        "strangers-per-customer-daily",
        Per.CUSTOMER,
        Count.STRANGERS,
        "2000/1d",
        Action.QUARANTINE,
    ),
    _shipped(
        "strangers-per-login-daily",
        Per.LOGIN,
        Count.STRANGERS,
        "200/1d",
        Action.QUARANTINE,
    ),
    _shipped(
        "strangers-per-local-user-daily",
        Per.LOCAL_USER,
        Count.STRANGERS,
        "50/1d",
        Action.QUARANTINE,
    ),
    _shipped(
        "strangers-per-client-daily",
        Per.CLIENT,
        Count.STRANGERS,
        "1000/1d",
        Action.QUARANTINE,
    ),
    _shipped(
        "networks-per-login-daily", Per.LOGIN, Count.NETWORKS, "20/1d", Action.TAG
    ),
    _shipped(
        "messages-per-login-hourly",
        Per.LOGIN,
        Count.MESSAGES,
        "5000/1h",
        Action.QUARANTINE,
    ),
    # Colleagues are no strangers, and one letter to the whole house is none too many: it
    # is the flood that is stopped.
    _shipped(
        "internal-recipients-per-login-hourly",
        Per.LOGIN,
        Count.INTERNAL_RECIPIENTS,
        "5000/1h",
        Action.QUARANTINE,
    ),
    _shipped(
        "messages-per-local-user-hourly",
        Per.LOCAL_USER,
        Count.MESSAGES,
        "5000/1h",
        Action.QUARANTINE,
    ),
    _shipped(
        "messages-per-client-hourly",
        Per.CLIENT,
        Count.MESSAGES,
        "5000/1h",
        Action.DEFER,
    ),
    _shipped(
        "messages-per-forwarder-hourly",
        Per.FORWARDER,
        Count.MESSAGES,
        "5000/1h",
        Action.DEFER,
    ),
    # Its forwarded mail is compared with nothing, and no other limit counts it.
    _shipped(
        "recipients-per-forwarder-hourly",
        Per.FORWARDER,
        Count.RECIPIENTS,
        "10000/1h",
        Action.DEFER,
    ),
    # Of a registered list, which no other limit on plain numbers holds.
    _shipped(
        "recipients-per-list-daily",
        Per.LIST,
        Count.RECIPIENTS,
        "500000/1d",
        Action.QUARANTINE,
    ),
    _shipped(
        "recipients-per-customer-daily",
        Per.CUSTOMER,
        Count.RECIPIENTS,
        "50000/1d",
        Action.QUARANTINE,
    ),
)

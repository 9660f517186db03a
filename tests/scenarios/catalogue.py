"""All scenarios, in the order of the table."""

from scenarios.bad import BAD
from scenarios.disguises import DISGUISES
from scenarios.good_people import GOOD_PEOPLE
from scenarios.good_services import GOOD_SERVICES

SCENARIOS = (
    *BAD,
    *DISGUISES,
    *sorted((*GOOD_PEOPLE, *GOOD_SERVICES), key=lambda scenario: scenario.key),
)
BY_KEY = {scenario.key: scenario for scenario in SCENARIOS}

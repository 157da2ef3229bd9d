"""US ZIP areas that so few people live in that even three digits may not be told."""

from typing import Final

#: Three digits that 20,000 people or fewer share by the census of 2000: the seventeen that the guidance of the HHS
#: Office for Civil Rights on de-identification under 45 CFR 164.514(b)(2)(i)(B) (26 November 2012) lists.
OF_GUIDANCE: Final = frozenset(
    {
        "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878", "879", "884", "890",
        "893",
    }
)  # fmt: skip
#: Withheld too, on the side of caution: areas of agencies and single buildings with few or no residents.
OF_CAUTION: Final = frozenset({"202", "204", "205", "369", "753", "772"})

#: The rule asks for current census data; who knows newer numbers writes a hierarchy instead.
RESTRICTED_ZIP3: Final = OF_GUIDANCE | OF_CAUTION

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
#: The same by the census of 2010, its ZIP code tabulation areas (ZCTA5) added up by their first three digits. HHS has
#: published no such list: this is the one that public code for Safe Harbor gives as of 2010. It has six areas more than
#: the guidance, those of federal agencies in Washington among them (202, 204, 205), and five fewer. The rule asks for
#: current data, and the guidance's is the published list: what stands in either is withheld.
OF_CENSUS_2010: Final = frozenset(
    {
        "036", "059", "102", "202", "203", "204", "205", "369", "556", "692", "753", "772", "821", "823", "878", "879",
        "884", "893",
    }
)  # fmt: skip

#: Who knows newer numbers writes a hierarchy instead.
RESTRICTED_ZIP3: Final = OF_GUIDANCE | OF_CENSUS_2010

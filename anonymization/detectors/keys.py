"""Member names that are data: in a map of people, what stands before each of them is a user name or an id."""

import re
from functools import lru_cache
from typing import Final

from anonymization.detectors.context import words_of

#: What is read before a member name that identifies somebody.
KEY_LABEL: Final = "username"

#: Objects of these names hold one member a person. Not "members" or "clients", which code has as well.
_PEOPLE: Final = frozenset(
    """
    users usernames logins nicknames people persons customers employees students patients participants subscribers
    followers friends contacts authors assignees reviewers contributors
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
_PERSON: Final = frozenset(
    "user username userid login customer employee student patient participant subscriber author assignee".split()  # noqa: SIM905
)
_SORTED_BY: Final = frozenset({"by", "per"})

#: Words that members of such an object are named by when they say something of all of them.
_ORDINARY: Final = frozenset(
    """
    a access account accounts accuracy action active add added additional address addresses after age agent alias
    all allow allowed amount and annotations anonymous answer answers any api args argument arguments array
    artifacts assistant at attribute attributes audience auth author authors available average avg back banned base
    batch before begin beta blocked body bool boolean branch browser bucket build by bytes cache call calls
    categories category channel char chat checkpoint child children choices chosen chunk churned city class classes
    client code collection color column columns command comment comments commit completion completions component
    conditions confidence config configuration const container content contents context control conversation
    conversations cost count country counts cpu created creator cron currency current cursor custom daily data
    database dataset datasets date day days debug default defaults definition definitions delay delete deleted delta
    dependencies depth description details dev device dialogue dimension dir directory disabled display document
    documents domain done driver duration edges email emails embedding embeddings enabled encoding end endpoint
    endpoints engine entities entity entries entry enum env environment epoch epochs error errors event events
    examples exception exclude expected expires export exports extra factor failed failure false features field
    fields file filename files filter filters final finish first flag flags float folder for format frequency from
    full function functions gender generated generation global gpu group grouped groups guests hash head header
    headers height help hidden history home homepage host hostname hosts hour hours html http https icon id ids
    image images import imports in inactive include index info ingress input inputs instruction instructions int
    integer interface interval invited is item items job jobs json k key keys kind kinds kwargs label labels lang
    language languages last latency latest layers layout learning left length level levels library license limit
    limited limits line lines link links list listed loaded local locale location locations lock log logger logging
    logprobs logs loss main map mapping margin mask match matrix max maximum mean media median member members memory
    message messages meta metadata method methods metric metrics middle min minimum minute mode model models module
    month monthly more name names namespace negative network new next nodes none note notes null nullable number
    numbers object objects of off offset old on one online open operation operator optimizer option optional options
    or order orders organization origin original output outputs override overview owner p package packages page
    pages pagination paid pair parallel param parameter parameters params parent parents parts password path paths
    pattern payload penalty pending per percent performance permission permissions phone phones plan platform policy
    pool port ports position positive post precision predicted preference preferences prefix premium presence
    present previous price primary priority private probability profile profiles project projects prompt prompts
    properties property protocol provider public purpose put quality query question questions queue quota random
    range rank rate rates ratio raw read readonly reason recall records ref reference references region registered
    rejected related release remote removed repeat replicas repository request requests required reset resource
    resources response responses result results retained retries retry return right role roles root rounds row rows
    rule rules run runs sample samples schedule schema scheme scope scopes score scores script scripts search second
    secondary seconds secret section security seed seen segment select selected selector self sent separator
    sequence server service services session sessions set settings shape shared show size skip skipped snapshot sort
    sorted source sources spec split stack stage standard start state statistics stats status std step steps stop
    storage strategy stream strict string style subject succeeded success suffix sum summary support suspended
    system table tables tag tags target targets task tasks team teams temperature template templates test tests text
    texts theme thread threads threshold time timeout timeouts times timestamp timezone title to token tokens tool
    tools top topic total totals trace train training transform tree trial trigger true turn turns type types unique
    unit units unknown unlimited update updated upper uri url urls usage use used user username users uses uuid
    valid validation value values variables variant vector verbose verified version versions view views visible
    volume volumes warning warnings weekly weight weights width window with word words worker workers workspace
    write year yearly years zip zone
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
_YEAR: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])?")
_SHORTEST: Final = 3
_SHORTEST_NUMBER: Final = 4


@lru_cache(maxsize=4096)
def holds_people(name: str) -> bool:
    """Whether the member names of an object called ``name`` are those of people: ``users``, ``score_by_user``."""
    words = words_of(name[:64])
    if not words:
        return False
    return words[-1] in _PEOPLE or words[-2:] == ["user", "ids"] or _is_by_person(words)


def _is_by_person(words: list[str]) -> bool:
    last = words[:-1] if words[-1] in {"id", "name"} else words
    return len(last) > 1 and last[-1] in _PERSON and last[-2] in _SORTED_BY


def label_of_key(key: str) -> str:
    """What to read before a member name of a map of people; empty where the name is a word for something else."""
    if len(key) < _SHORTEST or any(char.isspace() for char in key):
        return ""
    if key.isdecimal():
        return KEY_LABEL if len(key) >= _SHORTEST_NUMBER and not _YEAR.fullmatch(key) else ""
    return "" if _ORDINARY.issuperset(word for word in words_of(key) if not word.isdecimal()) else KEY_LABEL

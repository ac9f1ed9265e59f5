"""What the rules for facts know of English: nouns that have one value at a time, and words of doubt."""

import re


def alternatives(words: str) -> str:
    """Return a pattern for any of some words, the longest first; ``_`` stands for a space."""
    listed = sorted(words.split(), key=len, reverse=True)
    return "(?:" + "|".join(word.replace("_", r" ") for word in listed) + ")"


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(words.split())


WORD = r"[^\W\d_][\w'&.-]*"
PROPER = r"(?:[A-Z][\w'&-]*|[A-Z]\.)"
_LINK = r"(?:of|the|de|da|do|del|la|van|von|der|den|and|&|at|for|on)"
TITLE = r"(?:(?:Dr|Mr|Mrs|Ms|Prof|St)\. )"
NAME = rf"{TITLE}?{PROPER}(?: {PROPER}){{0,3}}"
"""A person or a place of up to four words."""
TITLED = rf"{PROPER}(?: (?:{_LINK} ){{0,2}}{PROPER}){{0,5}}"
"""A name with small words inside: the University of Leeds."""
NUMBER = r"(?:\d[\d,.]*\d|\d|" + alternatives("two three four five six seven eight nine ten eleven twelve") + ")"
MONTH = alternatives("January February March April May June July August September October November December")
DAY = rf"(?:{MONTH} \d{{1,2}}(?:st|nd|rd|th)?|(?:the )?\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{MONTH})(?:,? \d{{4}})?"

KIN = alternatives(
    "wife husband partner girlfriend boyfriend fiancé fiancée son daughter brother sister mother father mom mum dad"
    " grandmother grandfather grandma grandpa uncle aunt cousin nephew niece best_friend boss manager doctor dentist"
    " therapist landlord roommate flatmate neighbour neighbor mentor supervisor"
)
SEVERAL = word_set(
    "son daughter brother sister uncle aunt cousin nephew niece grandmother grandfather grandma grandpa"
    " roommate flatmate neighbour neighbor mentor"
)
"""Of whom one may have more than one."""
PET = alternatives(
    "dog cat puppy kitten rabbit hamster parrot horse turtle tortoise goldfish snake lizard bird guinea_pig pup"
)
MEASURED = alternatives(
    "phone_number phone_extension mobile_number address postcode zip_code postal_code budget salary shoe_size height"
    " weight goal_weight target_weight rent credit_score seat_number room_number office_number extension daily_budget"
    " monthly_budget weekly_budget reading_goal step_goal savings_goal bedtime wake-up_time deadline"
)
"""What has a value with a number or a day in it."""
PROPERLY = alternatives("hometown nickname middle_name last_name surname first_name full_name maiden_name birthplace")
"""What has a proper name as its value."""
SPELLED = alternatives("email email_address e-mail username handle time_zone timezone")
"""What has a value without spaces, and hardly a word of the dictionary."""
TONGUE = alternatives("native_language first_language mother_tongue")
THING = alternatives(
    "owner port version price cost size capital name address location hometown colour color author lead maintainer"
    " rate_limit limit timeout deadline budget founder headquarters launch_date release_date due_date start_date"
    " end_date password_policy default_branch branch region host hostname domain licence license manager director"
    " ceo population height length weight width depth retention_period retention batch_size memory_limit quota"
    " time_zone timezone currency language framework database venue topic title theme status"
)
JOB = alternatives(
    "engineer developer programmer nurse doctor teacher professor lawyer architect designer accountant chef cook baker"
    " barista plumber electrician carpenter mechanic pilot dentist veterinarian vet surgeon therapist psychologist"
    " counselor counsellor scientist researcher analyst consultant manager director writer author journalist editor"
    " photographer painter musician actor actress dancer singer student librarian firefighter paramedic pharmacist"
    " farmer gardener translator interpreter salesperson realtor banker economist historian biologist chemist"
    " physicist mathematician statistician administrator technician welder driver tutor coach producer filmmaker"
    " illustrator animator marketer recruiter receptionist secretary waiter waitress bartender cashier tailor"
    " freelancer entrepreneur intern apprentice postdoc midwife optometrist geologist astronomer social_worker"
)
LANGUAGE = alternatives(
    "English Spanish French German Italian Portuguese Russian Chinese Mandarin Cantonese Japanese Korean Arabic Hindi"
    " Urdu Bengali Turkish Dutch Swedish Norwegian Danish Finnish Polish Czech Greek Hebrew Ukrainian Romanian"
    " Hungarian Thai Vietnamese Indonesian Swahili Tagalog Welsh Irish Catalan Basque Persian Farsi Tamil Telugu"
)
DIET = alternatives("vegetarian vegan pescatarian teetotal teetotaler celiac coeliac diabetic lactose_intolerant")

DOUBT = re.compile(
    r"\b(?:if|unless|whether|would|wouldn't|could|might|may|maybe|perhaps|possibly|probably|hopefully|wish|hope"
    r"|hoping|imagine|suppose|supposed|pretend|pretending|dream(?:ed|t|ing)?|used to|not|never|no longer|isn't"
    r"|aren't|wasn't|don't|doesn't|didn't|won't|can't|haven't|almost|nearly|should|thinking"
    r"|considering|want(?:s|ed)? to|going to|gonna|planning|will|'ll|guess|joking|kidding|as if|like when"
    r"|been|says?|said|told|claims?|claimed|thinks?|thought|heard|asked|wonder(?:ed|ing)?|example|instance|e\.g\.)\b",
    re.IGNORECASE,
)
"""Words after which a clause need not be so."""

_UNIT = alternatives(
    "euros dollars pounds kg cm km miles lbs feet k USD EUR GBP am pm minutes hours days books steps a_month per_month"
    " a_week per_week a_year per_year a_day per_day"
)
AMOUNT = rf"(?:(?:about|around|roughly|under|at) )?[$€£+#]?\d[\d.:/-]*(?:,\d+)*(?:[-.]\d+)*%?(?: ?{_UNIT}\b)*"
WEEKDAY = alternatives("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
DATED = rf"(?:(?:on|by) )?(?:{DAY}|(?:next |this )?{WEEKDAY}|{MONTH})"
MARK = r"[,;.!?:)\u2013\u2014]"
CLAUSE = re.compile(r"[,;:\u2013\u2014]| - |\b(?:and|but|because|so)\b")
"""Where a clause ends."""
ENTITY = (
    r"(?:service|server|API|database|project|app|team|queue|cluster|module|package|library|repository|repo|pipeline"
    r"|site|website|company|event|conference|workshop|book|report)"
)
"""What a thing with a name of its own is called."""

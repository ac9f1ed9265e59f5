"""Personal data: payment cards, bank accounts, e-mail addresses and telephone numbers."""

import re
from collections.abc import Iterator

from ..models import Finding
from .measures import lower, passes_luhn, passes_mod97

_CARD = re.compile(r"(?<![\w.\-])\d(?:[ \-]?\d){12,18}(?![\w\-]|\.\d)")
_ISSUERS = re.compile(
    r"(?:4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|"
    r"3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14}|"
    r"(?:50|5[6-9]|6\d)\d{14})\Z"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{4}){2,7}(?:[ \-]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
# The lengths of the registry of ISO 13616.
_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL", "SD", "FK"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
_MAIL = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._%+\-]{0,62}[A-Za-z0-9_%+\-])?@(?:[A-Za-z0-9\-]{1,63}\.){1,5}[A-Za-z]{2,24}\b"
)
_NO_PERSON = re.compile(
    r"(?:noreply|no-reply|git|example|user|admin|root|test|info|support)@|"
    r"@(?:[\w\-]+\.)*(?:example|invalid|localhost|test)\b|@\w+\.(?:py|js|png|svg|so|service)\b",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![\w+/=])(?:\+|(?<!\w )00)[1-9](?:[ .()\-/]{0,2}\d){7,14}(?![\w=]|[.\-]\d)")
_PHONE_NAMES = ("tel", "phone", "mobil", "handy", "cell", "fax")
_NAMED_PHONE = re.compile(
    r"\w{0,10}[\"']?\s{0,2}[:.=]?\s{0,3}[\"']?(\(?0?\d{2,5}\)?(?:[ .\-/]{1,3}\d{2,5}){1,4})(?![\w])"
)
_AROUND = 66


def personal_data(text: str) -> Iterator[Finding]:
    """Yield what is found, kind by kind."""
    for found in _CARD.finditer(text):
        digits = re.sub(r"[ \-]", "", found.group())
        if _ISSUERS.match(digits) and len(set(digits)) > 3 and passes_luhn(digits):
            yield Finding("payment-card", "personal", *found.span())
    for found in _IBAN.finditer(text):
        yield from _iban(text, found)
    yield from _addresses(text)
    for found in _PHONE.finditer(text):
        if 8 <= sum(map(str.isdigit, found.group())) <= 15:
            yield Finding("phone", "personal", *found.span())
    yield from _named_phones(text)


def _named_phones(text: str) -> Iterator[Finding]:
    lowered = lower(text)
    for name in _PHONE_NAMES:
        place = lowered.find(name)
        while place >= 0:
            found = _NAMED_PHONE.match(text, place + len(name))
            if found is not None and 7 <= sum(map(str.isdigit, found.group(1))) <= 15:
                yield Finding("phone", "personal", *found.span(1))
            place = lowered.find(name, place + 1)


def _iban(text: str, found: re.Match[str]) -> Iterator[Finding]:
    length = _IBAN_LENGTHS.get(found.group()[:2])
    if length is None:
        return
    # Words in capitals may follow a number that is written in groups.
    end, taken = found.start(), 0
    while taken < length and end < found.end():
        taken += text[end] not in " -"
        end += 1
    number = re.sub(r"[ \-]", "", text[found.start() : end])
    if taken == length and not text[end : end + 1].isalnum() and passes_mod97(number):
        yield Finding("iban", "personal", found.start(), end)


def _addresses(text: str) -> Iterator[Finding]:
    place = text.find("@")
    last = 0
    while place >= 0:
        found = _MAIL.search(text, max(last, place - _AROUND), place + 260)
        if found is not None:
            last = found.end()
            if not _NO_PERSON.search(found.group()):
                yield Finding("e-mail", "personal", *found.span())
        place = text.find("@", max(place + 1, last))

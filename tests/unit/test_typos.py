"""Mistyped words: what they may have meant, and which of it occurs."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.core.ports import Speller
from palimpsest.slm.lexical import WordEncoder
from palimpsest.slm.typos import MOST, TypoSpeller, cost, is_spelled, variants

ROOT = Path(__file__).resolve().parents[2]
ENCODER = WordEncoder()
SPELLER: Speller = TypoSpeller(ENCODER)
MISSPELT = """
    accomodate:accommodate acheive:achieve accross:across adress:address agressive:aggressive arguement:argument
    assasin:assassin beleive:believe bizzare:bizarre buisness:business calender:calendar catagory:category
    choosen:chosen collegue:colleague comparision:comparison concious:conscious convinient:convenient
    definately:definitely dissapear:disappear dilemna:dilemma embarass:embarrass enviroment:environment
    familar:familiar finaly:finally foriegn:foreign fourty:forty foward:forward freind:friend futher:further
    garantee:guarantee goverment:government grammer:grammar happend:happened harrass:harass higer:higher
    humourous:humorous immediatly:immediately interupt:interrupt knowlege:knowledge lenght:length libary:library
    maintainance:maintenance manuever:maneuver millenium:millennium minature:miniature mispell:misspell
    neccessary:necessary ommit:omit orignal:original paralel:parallel peice:piece posession:possession
    privelege:privilege probaly:probably proffesional:professional realy:really recieve:receive recomend:recommend
    remeber:remember repetion:repetition rythm:rhythm seperate:separate sieze:seize similiar:similar speach:speech
    succesful:successful supercede:supersede suprise:surprise tommorow:tomorrow tounge:tongue truely:truly
    unforseen:unforeseen usefull:useful vaccum:vacuum vegatable:vegetable wierd:weird whereever:wherever
    writting:writing databse:database sevrer:server memroy:memory serach:search qurey:query confguration:configuration
    documnet:document retreival:retrieval passward:password postgers:postgres comression:compression langauge:language
    conection:connection transation:transaction migraton:migration namepsace:namespace conversatoin:conversation
    summery:summary tokenzier:tokenizer threshhold:threshold varaible:variable funtion:function parrallel:parallel
    timout:timeout backupp:backup rendtion:rendition lexcial:lexical semanitc:semantic recenly:recently
    priorty:priority
""".split()  # noqa: SIM905 - a paragraph is read more easily than a hundred quoted strings


def key(word: str) -> int:
    """A word's key in the index."""
    return ENCODER.encode_query("n", word).keys[0]


@pytest.fixture(scope="module")
def chunks() -> Counter[int]:
    """How many paragraphs of this package's documents hold each term; every right word stands in one at least."""
    found: Counter[int] = Counter()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for paragraph in path.read_text().split("\n\n"):
            found.update(ENCODER.encode_document("n", paragraph).keys)
    for pair in MISSPELT:
        found[key(pair.partition(":")[2])] |= 1
    return found


def corrected(word: str, chunks: Mapping[int, int]) -> list[str]:
    """What a search does with a word: nothing when it occurs or is no typo, else nearer variants before farther."""
    if not any(one.key not in chunks for one in SPELLER.words("n", word)):
        return []
    for slips in (1, 2):
        if chosen := SPELLER.choose(word, SPELLER.variants("n", word, slips=slips), chunks):
            return [one.word for one in chosen]
    return []


def test_nine_in_ten_real_misspellings_find_their_word(chunks: Counter[int]) -> None:
    assert len(MISSPELT) > 100
    pairs = [(typed, key(meant)) for typed, _, meant in (pair.partition(":") for pair in MISSPELT)]
    found = [[key(word) for word in corrected(typed, chunks)] for typed, _ in pairs]
    first = sum(words[:1] == [meant] for words, (_, meant) in zip(found, pairs, strict=True))
    among = sum(meant in words for words, (_, meant) in zip(found, pairs, strict=True))
    assert all(len(words) <= 2 for words in found)
    assert among >= 0.93 * len(pairs), among
    assert first >= 0.90 * len(pairs), first


@pytest.mark.parametrize(
    "word", ["writing", "Evan", "james", "matches", "happier", "running", "making", "cooking", "friendly"]
)
def test_a_common_word_that_does_not_occur_is_not_corrected(word: str) -> None:
    assert is_spelled(word.lower())
    assert SPELLER.words("n", word) == ()


@pytest.mark.parametrize("word", ["", "teh", "x1y2z3", "can't", "a" * 21])
def test_what_is_too_short_or_long_or_no_word_has_no_variants(word: str) -> None:
    assert variants(word) == variants(word, 2) == []


def test_variants_are_one_slip_away() -> None:
    found = variants("hause")
    assert {"house", "hauses", "haus", "ahuse", "cause", "hhause"} <= set(found)
    assert "hause" not in found
    assert len(found) == len(set(found)) <= 54 * 5 + 25
    assert len(variants("internationalization")) <= 54 * 20 + 25


def test_two_slips_are_for_longer_words_and_bounded() -> None:
    assert variants("databse", 2) == []
    assert "tomorrow" in variants("tommorow", 2)
    assert 0 < len(variants("internationalization", 2)) <= MOST
    assert variants("tommorow", 3) == []


def test_other_alphabets_have_their_own_letters() -> None:
    assert "память" in variants("памть")
    assert "μνημη" in variants("μνμη")


def test_case_and_accents_are_folded() -> None:
    assert variants("Émilei") == variants("emilei")
    assert "emilie" in variants("Émilei")


def test_swapped_and_doubled_letters_are_the_likeliest_slips() -> None:
    slips = [cost("recieve", "receive"), cost("memmory", "memory"), cost("memori", "memory"), cost("menory", "memory")]
    assert slips == sorted(slips)
    assert cost("memory", "memory") == 0
    assert cost("memoru", "memory") < cost("memorp", "memory")
    assert cost("nemory", "memory") > cost("menory", "memory")


def test_of_two_candidates_the_commoner_slip_wins_then_the_commoner_word() -> None:
    spelled = SPELLER.variants("n", "teirs")
    both = {key("tiers"): 1, key("tears"): 2}
    assert [one.word for one in SPELLER.choose("teirs", spelled, both)] == ["tiers", "tears"]
    alike = {key("bills"): 3, key("balls"): 300}
    assert [one.word for one in SPELLER.choose("bylls", SPELLER.variants("n", "bylls"), alike)] == ["balls", "bills"]


def test_short_words_need_an_ordinary_slip() -> None:
    spelled = SPELLER.variants("n", "gina")
    assert SPELLER.choose("gina", spelled, {key("gain"): 0, key("china"): 50, key("ginx"): 50}) == ()
    assert [one.word for one in SPELLER.choose("gian", SPELLER.variants("n", "gian"), {key("gain"): 1})] == ["gain"]


def test_a_form_that_is_no_word_does_not_stand_for_its_stem() -> None:
    found = {key("over"): 50, key("government"): 1}
    chosen = SPELLER.choose("goverment", SPELLER.variants("n", "goverment"), found)
    assert chosen[0].word == "government"


def test_variants_carry_the_terms_of_a_query_and_no_stop_words() -> None:
    spelled = {one.word: one for one in SPELLER.variants("n", "thier")}
    assert "their" not in spelled
    terms = ENCODER.encode_query("n", "thief")
    assert spelled["thief"].key == terms.keys[0]
    assert SPELLER.variants("other", "thier")[0].key != SPELLER.variants("n", "thier")[0].key


def test_words_of_a_query_are_told_with_their_terms() -> None:
    query = "What did Melaniee's freind sayy in getUserName or /usr/lib/foo.py at 東京, freind?"
    words = SPELLER.words("n", query)
    assert [one.word for one in words] == ["melaniee", "freind", "sayy"]
    terms = ENCODER.encode_query("n", query)
    assert {one.key for one in words} <= set(terms.keys)


def test_only_words_among_the_terms_of_a_long_query_are_told() -> None:
    query = " ".join(f"wordd{'abcdefgh'[at // 26]}{'abcdefghijklmnopqrstuvwxyz'[at % 26]}" for at in range(100))
    words = SPELLER.words("n", query)
    assert 40 < len(words) <= 64
    assert {one.key for one in words} <= set(ENCODER.encode_query("n", query).keys)


@given(st.text(max_size=30))
def test_any_word_has_bounded_variants_and_no_choice_without_chunks(word: str) -> None:
    assert len(variants(word)) <= 70 * 20 + 70
    spelled = SPELLER.variants("n", word)
    assert SPELLER.choose(word, spelled, {}) == ()
    assert len(SPELLER.choose(word, spelled, {one.key: 1 for one in spelled})) <= 2


def test_an_ending_alone_is_a_word_like_any_other() -> None:
    assert [one.word for one in SPELLER.choose("iing", SPELLER.variants("n", "iing"), {key("ing"): 1})] == ["ing"]

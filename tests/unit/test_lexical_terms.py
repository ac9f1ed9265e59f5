"""What a text's terms are: words, identifiers, dates, numbers and scripts without spaces."""

# ruff: noqa: RUF001 - other alphabets are the point
import time

import pytest

from palimpsest.slm.lexical_terms import PAIR, STEM, WHOLE, Stemmers, fold, pairs, split, terms_of, tokens_in_order


def terms(text: str) -> list[str]:
    stemmers = Stemmers()
    found: list[str] = []
    for token, unspaced in tokens_in_order(text):
        found.extend(pairs(token) if unspaced else terms_of(token, stemmers)[0])
    return found


def stems(text: str) -> list[str]:
    return [term[1:] for term in terms(text) if term[0] == STEM]


def wholes(text: str) -> list[str]:
    return [term[1:] for term in terms(text) if term[0] == WHOLE]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running runners ran", ["run", "runner", "ran"]),
        ("ÉMILIE émilie Emilie", ["emili", "emili", "emili"]),
        ("Straße strasse", ["strass", "strass"]),
        ("Łódź Øresund œuvre", ["lodz", "oresund", "oeuvr"]),
        ("ИЮНЬ июнь", ["июнь", "июнь"]),
        ("ﬁnal ＡＢＣ", ["final", "abc"]),
        ("soft\u00adware", ["softwar"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("\u0301 ___ -- ", []),
        ("a1b2c3", ["a1b2c3"]),
    ],
)
def test_words_lose_case_and_accents_and_english_ones_their_endings(text: str, expected: list[str]) -> None:
    assert stems(text) == expected


def test_stop_words_are_left_out_but_acronyms_that_look_like_them_stay() -> None:
    assert terms("what was it, to be or not to be") == []
    assert stems("IT moved to the US, who told WHO?") == ["it", "move", "us", "told", "who"]
    assert stems("U.S. and J.K. Rowling, e.g. then") == ["us", "jk", "rowl"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Melanie's", ["melani"]),
        ("Melanie\u2019s", ["melani"]),
        ("don't can't it's we're", []),
        ("O'Brien", ["obrien", "o", "brien"]),
        ("l'eau", ["leau", "eau"]),
        ("rock'n'roll", ["rocknrol"]),
    ],
)
def test_apostrophes_do_not_hide_the_word(text: str, expected: list[str]) -> None:
    assert stems(text) == expected


@pytest.mark.parametrize("name", ["getUserName", "get_user_name", "get-user-name", "GetUserName", "GET_USER_NAME"])
def test_a_name_is_found_whole_in_any_style_and_by_its_parts(name: str) -> None:
    assert set(stems(name)) == {"getusernam", "get", "user", "name"}
    assert stems("getusername") == ["getusernam"]


def test_a_stop_word_inside_an_identifier_survives() -> None:
    assert "is" in stems("is_valid")
    assert "to" in stems("toJson")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("__init__", ["__init__"]),
        ("_private", ["_private"]),
        ("ERR-4042", ["err-4042"]),
        ("std::vector", ["std::vector"]),
        ("C++", ["c++"]),
        ("C#", ["c#"]),
        ("C++17", ["c++17", "c++"]),
        ("Node.js", ["node.js"]),
        ("/usr/lib/x.py", ["usr/lib/x.py", "x.py"]),
        ("file.py:42", ["file.py:42", "file.py"]),
        ("ann@example.org", ["ann@example.org", "example.org"]),
        ("https://example.com/a.html", ["https://example.com/a.html", "example.com", "a.html"]),
        ("2026-11-21", ["2026-11-21", "2026-11"]),
        ("2026/1/2", ["2026-01-02", "2026-01"]),
        ("2026-11-21T12:30:00Z", ["2026-11-21", "2026-11", "12:30:00", "12:30"]),
        ("2026-11-21Tnoon", ["2026-11-21", "2026-11"]),
        ("2026-11-21_backup.log", ["2026-11-21_backup.log", "2026-11-21", "2026-11"]),
        ("12:30", ["12:30"]),
        ("9:05pm", ["9:05"]),
        ("3.14", ["3.14"]),
        ("v1.2.3", ["1.2.3", "1.2"]),
        ("foo-1.2.3.tar.gz", ["foo-1.2.3.tar.gz", "1.2.3", "1.2"]),
        ("1,234.56", ["1234.56"]),
        ("wait...what", []),
    ],
)
def test_compounds_are_kept_whole_with_their_inner_names(text: str, expected: list[str]) -> None:
    assert wholes(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("ERR-4042", "4042"),
        ("C++", "c"),
        ("/usr/lib/x.py", "lib"),
        ("ann@example.org", "ann"),
        ("2026-11-21", "2026"),
        ("9:05pm", "pm"),
        ("1,234,567", "1234567"),
        ("100,200,300", "200"),
        ("HTTPServer", "http"),
        ("PDFs", "pdf"),
        ("e-mail", "email"),
        ("state-of-the-art", "art"),
        ("foo.bar_baz", "baz"),
    ],
)
def test_parts_of_compounds_are_plain_words(text: str, part: str) -> None:
    assert part in stems(text)


def test_scripts_without_spaces_become_pairs_and_lone_characters() -> None:
    assert terms("東京都") == [PAIR + "東京", PAIR + "京都"]
    assert terms("本") == [PAIR + "本"]
    assert terms("猫が好き") == [PAIR + "猫が", PAIR + "が好", PAIR + "好き", PAIR + "猫", PAIR + "好"]
    assert terms("ｶﾞｽ") == [PAIR + "ガス"]
    assert terms("학교") == [PAIR + "학교"]
    assert terms("ไทย") == [PAIR + "ไท", PAIR + "ทย"]
    assert terms("Python语言") == [STEM + "python", PAIR + "语言"]


def test_kinds_never_meet() -> None:
    assert len({STEM, WHOLE, PAIR}) == 3
    assert all(term[0] in (STEM, WHOLE, PAIR) for term in terms("the C++ 東京 getUserName 2026-11-21"))


def test_documents_and_queries_are_cut_alike() -> None:
    text = "Émilie's file.py:42 in 東京 costs 1,234.56 at 12:30, ask ann@example.org about C++"
    counts, runs = split(text)
    assert sorted([*counts.elements(), *runs]) == sorted(token for token, _ in tokens_in_order(text))


def test_blobs_are_kept_whole_and_never_taken_apart() -> None:
    assert terms("f" * 100) == [WHOLE + "f" * 100]
    assert terms("f" * 5000) == [WHOLE + "f" * 5000]
    assert terms("QmFzZTY0IGxvb2tzIGxpa2UgY2FtZWw") == [STEM + "qmfzzty0igxvb2tzigxpa2ugy2ftzww"]
    assert WHOLE + "g" * 70 in terms("short." + "g" * 70)
    assert terms("running/" * 30) == [STEM + "running"]


@pytest.mark.parametrize("unit", ["a", "a.", "aB", "_a", "漢", "a'", "a#", ",000", "a\u0301", "कि", "a+", "::", "1."])
def test_a_line_of_a_million_joined_pieces_ends_soon(unit: str) -> None:
    begin = time.process_time()
    terms(unit * (1_000_000 // len(unit)))
    assert time.process_time() - begin < 20


def test_marks_that_are_letters_survive_folding() -> None:
    assert fold("हिन्दी") == "हिन्दी"
    assert fold("कि") != fold("क")
    assert fold("İ") == "i"
    assert fold("שָׁלוֹם") == "שלום"

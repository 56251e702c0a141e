from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortado.errors import ModelFileError
from cortado.frontends.textformat import Message, ScalarKind, parse_text


def plain(message):
    """The tree as nested lists of (name, value), without places."""
    return [(field.name, plain(field.value) if isinstance(field.value, Message) else field.value.value)
            for field in message.fields]


def refusal(text):
    with pytest.raises(ModelFileError) as caught:
        parse_text(text, "f")
    return str(caught.value)


@pytest.mark.parametrize(("text", "value"), [
    ("7", 7), ("-7", -7), ("- 7", -7), ("0x1F", 31), ("-0x10", -16), ("017", 15), ("0", 0), ("-0", 0),
    ("1.5", 1.5), ("-1.5e3", -1500.0), (".5", 0.5), ("2.", 2.0), ("1f", 1.0), ("1.5F", 1.5), ("-inf", -math.inf),
    ("-Infinity", -math.inf), ("true", "true"), ("LMDB", "LMDB"), ("inf", "inf"),
    ("'a'", "a"), ('"a" \'b\'\n"c"', "abc"), ('""', ""), (r'"\n\t\\\"\'\?\a\b\f\r\v"', "\n\t\\\"'?\a\b\f\r\v"),
    (r'"\x41\x4a\101\60\7"', "AJA0\7"), (r'"\303\244"', "ä"), (r'"é\U0001F600"', "é😀"),
    ('"# no comment"', "# no comment"),
])
def test_values(text, value):
    assert plain(parse_text(f"a: {text}", "f")) == [("a", value)]


def test_kinds_of_values():
    kinds = [field.value.kind for field in parse_text("a: 'x' a: x a: 1 a: 1.0 a: -nan", "f").fields]
    assert kinds == [ScalarKind.STRING, ScalarKind.NAME, ScalarKind.INTEGER, ScalarKind.FLOAT, ScalarKind.FLOAT]


@pytest.mark.parametrize(("text", "tree"), [
    ("", []),
    ("# only a comment", []),
    ("a: 1 b: 2", [("a", 1), ("b", 2)]),
    ("a: 1, b: 2; c: 3,", [("a", 1), ("b", 2), ("c", 3)]),
    ("a { b: 1 }", [("a", [("b", 1)])]),
    ("a: { b: 1 }", [("a", [("b", 1)])]),
    ("a < b: 1 >", [("a", [("b", 1)])]),
    ("a: < b <> >", [("a", [("b", [])])]),
    ("a {};", [("a", [])]),
    ("a: [1, 2]", [("a", 1), ("a", 2)]),
    ("a: []", []),
    ("a [{ b: 1 }, < c: 2 >]", [("a", [("b", 1)]), ("a", [("c", 2)])]),
    ("a: [{}]", [("a", [])]),
    ("a:1\na{}", [("a", 1), ("a", [])]),
])
def test_trees(text, tree):
    assert plain(parse_text(text, "f")) == tree


def test_places_of_fields_and_values():
    field, = parse_text("layer {\n  top: 'x'\n}", "f").fields
    top, = field.value.fields
    assert [str(place) for place in (field.position, field.value.position, top.position, top.value.position)] == [
        "f:1:1", "f:1:7", "f:2:3", "f:2:8"]


@pytest.mark.parametrize(("text", "message"), [
    ("{", "f:1:1: expected a field name, not '{'"),
    ("a: 1 }", "f:1:6: expected a field name, not '}'"),
    ("a 1", "f:1:3: field 'a' must be followed by ':' or '{', not '1'"),
    ("a", "f:1:2: field 'a' must be followed by ':' or '{', not the end of the file"),
    ("a:", "f:1:3: field 'a': expected a value, not the end of the file"),
    ("a: }", "f:1:4: field 'a': expected a value, not '}'"),
    ("a: -x", "f:1:5: field 'a': expected a number after '-', not 'x'"),
    ("a: - ", "f:1:6: field 'a': expected a number after '-', not the end of the file"),
    ("a {\n  b: 1\n",
     "f:3:1: expected a field name or '}', not the end of the file: '{' of line 1, column 3 is not closed"),
    ("a { b: 1 >", "f:1:10: expected a field name or '}', not '>'"),
    ("a < b: 1 }", "f:1:10: expected a field name or '>', not '}'"),
    ("a { 1 }", "f:1:5: expected a field name or '}', not '1'"),
    ("a: [1 2]", "f:1:7: expected ',' or ']', not '2'"),
    ("a: [1, ", "f:1:8: field 'a': expected a value, not the end of the file"),
    ("a: [1", "f:1:6: expected ',' or ']', not the end of the file: '[' of line 1, column 4 is not closed"),
    ("a [1]", "f:1:4: field 'a' must have ':' before a list of values"),
    ("[ext.name]: 1", "f:1:1: expected a field name, not '[': extension fields are not supported"),
    (r"a: 'x\q'", "f:1:6: '\\q' must be an escape of the text format, such as \\n, \\\\ or \\x41"),
    (r"a: '\777'", "f:1:5: '\\777' must be an escape of the text format, such as \\n, \\\\ or \\x41"),
    (r"a: '\ud800'", "f:1:5: '\\ud800' must be an escape of the text format, such as \\n, \\\\ or \\x41"),
    (r"a: '\377'", "f:1:4: the bytes a string's escapes stand for must be UTF-8"),
    ("a: " + "9" * 401, "f:1:4: a number must have at most 400 characters, not 401"),
    ("a {" * 101, "f:1:303: messages must nest at most 100 deep"),
])
def test_syntax_errors(text, message):
    assert refusal(text) == message


def test_a_hundred_levels():
    tree = parse_text("a {" * 100 + "}" * 100, "f")
    assert len(tree.fields) == 1


@given(st.text())
def test_any_text_is_a_tree_or_an_error(text):
    with suppress(ModelFileError):
        parse_text(text, "f")


@given(st.text(alphabet="ab_:{}<>[],;#'\"\\-.0189xefn \n", max_size=60))
def test_any_text_of_its_own_characters_is_a_tree_or_an_error(text):
    with suppress(ModelFileError):
        parse_text(text, "f")

"""JSON: objects a line, arrays, answers of an API, one after the other."""

import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.builders import source, written
from outgate.evidence.documents import Documents, Item
from outgate.evidence.reading import MAX_LINE_CHARACTERS
from outgate.model.errors import SourceError

TWO = '{"email": "anne", "at": {"ip": "x"}}', '{"email": "bob", "n": 2}'


def items(text: str, array: str = "members") -> list[Item]:
    return list(Documents(iter(io.StringIO(text, newline="")), "export.json", array))


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(TWO),
        f"[{TWO[0]},\n{TWO[1]}]",
        f'{{"members":[{TWO[0]},{TWO[1]}],"total_items":2}}',
        f'{{"members": [{TWO[0]}],\n "n": 1}}\n{{"members": [\n{TWO[1]}]}}',
        f'{{"data": {{"members": [\n{TWO[0]}\n,\n{TWO[1]}\n], "page": 1}}}}',
        json.dumps({"members": [json.loads(one) for one in TWO]}, indent=2),
    ],
)
def test_shapes_of_json(text: str) -> None:
    """The same two, with what is inside of objects by dotted names."""
    first, second = items(text)

    assert (first.get("email"), first.get("at.ip")) == ("anne", "x")
    assert (second.get("email"), second.get("n"), second.get("at.ip")) == (
        "bob",
        "2",
        "",
    )


def test_a_line_that_is_no_object_costs_one_row() -> None:
    """It is kept as text, where somebody can mend it."""
    broken, good = items(f"{{oops\n{TWO[1]}", array="")

    assert broken.line == 1
    assert "no JSON object" in broken.broken
    assert json.loads(broken.rejected("x")) == {"line": "{oops", "reject-reason": "x"}
    assert good.line == 2


def test_an_answer_that_is_cut_off_is_told() -> None:
    """With its row."""
    with pytest.raises(SourceError, match="row 2: no whole JSON object"):
        items(f'{{"members": [{TWO[0]},\n{{"email": ')
    with pytest.raises(SourceError, match="ends inside an array"):
        items(f'{{"members": [{TWO[0]},')


def test_an_answer_of_one_long_line_is_not_held_whole(tmp_path: Path) -> None:
    """A page of an API has no line ends; its objects are small."""
    objects = ",".join(
        json.dumps({"email": f"person{number}@example.net", "note": "x" * 500})
        for number in range(4_000)
    )
    file = written(tmp_path, f'{{"members":[{objects}],"total_items":4000}}')
    assert file.stat().st_size > MAX_LINE_CHARACTERS

    lines = source(file).lines(cut=True)
    found = list(Documents(lines, "export.json", "members"))

    assert len(found) == 4_000
    assert found[-1].get("email") == "person3999@example.net"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[1,2]", "[[]]"])
def test_what_is_deep_or_no_object_is_told(text: str) -> None:
    """Python's parser recurses: that is no exception of ours."""
    with suppress(SourceError):
        assert all(one.broken for one in items(text))


def test_a_record_is_divided_by_the_lists_in_it() -> None:
    """What stands around belongs to each."""
    (one,) = items('{"email": "anne", "lists": [{"name": "a"}, {"name": "b"}, 3]}', "")

    inner = list(one.inner("lists"))

    assert [(two.get("email"), two.get("lists[].name")) for two in inner] == [
        ("anne", "a"),
        ("anne", "b"),
    ]
    assert json.loads(inner[1].rejected("x"))["lists"] == [{"name": "b"}]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), _JSON, max_size=4), max_size=5))
def test_objects_are_the_same_in_every_shape(values: list[dict[str, object]]) -> None:
    """A line each, an array, or an answer."""
    by_line = [one.value for one in items("\n".join(map(json.dumps, values)), "")]
    answer = json.dumps({"members": values})

    assert by_line == values
    assert [one.value for one in items(answer)] == values
    assert [one.value for one in items(json.dumps(values))] == values


@settings(max_examples=300)
@given(st.text('{}[]",:\n\\ members12', max_size=80), st.booleans())
def test_any_text_is_records_or_an_error(text: str, begun: bool) -> None:
    """And what is broken can be written."""
    with suppress(SourceError):
        for one in items(f'{{"members":[{text}' if begun else text):
            one.get("a.b")
            one.rejected("reason")

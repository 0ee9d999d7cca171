"""The laws of laying one document over another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfright.domain.manifest.layering import comes_from_overlay, merge, without_nulls

scalars = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
)
# Keys a-c always hold values and x-z always hold mappings: associativity needs layers that agree on that.
mappings = st.recursive(
    st.dictionaries(st.sampled_from("abc"), scalars),
    lambda inner: st.builds(
        lambda leaves, nodes: leaves | nodes,
        st.dictionaries(st.sampled_from("abc"), scalars),
        st.dictionaries(st.sampled_from("xyz"), inner),
    ),
    max_leaves=8,
)


@given(mappings)
def test_an_empty_overlay_changes_nothing(base: dict[str, Any]):
    assert merge(base, {}) == base


@given(mappings)
def test_a_base_without_content_leaves_the_overlay(overlay: dict[str, Any]):
    assert merge({}, overlay) == overlay


@given(mappings, mappings, mappings)
def test_the_order_of_merging_three_layers_does_not_matter(
    base: dict[str, Any], middle: dict[str, Any], top: dict[str, Any]
):
    assert merge(merge(base, middle), top) == merge(base, merge(middle, top))


@given(mappings, mappings)
def test_every_value_is_the_overlays_where_it_has_one_and_the_bases_elsewhere(
    base: dict[str, Any], overlay: dict[str, Any]
):
    merged = dict(leaves(merge(base, overlay)))
    below, above = dict(leaves(base)), dict(leaves(overlay))
    assert merged == {path: above.get(path, below.get(path)) for path in below | above}


@given(mappings, mappings)
def test_neither_argument_is_changed(base: dict[str, Any], overlay: dict[str, Any]):
    before = repr((base, overlay))
    merge(base, overlay)
    assert repr((base, overlay)) == before


def test_lists_and_values_replace_and_null_removes():
    base = {"list": [1, 2], "value": 1, "section": {"kept": 1, "removed": 2}, "gone": {"deep": 1}}
    overlay = {"list": [3], "value": {"now": "a mapping"}, "section": {"removed": None}, "gone": None}

    assert without_nulls(merge(base, overlay)) == {
        "list": [3],
        "value": {"now": "a mapping"},
        "section": {"kept": 1},
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("both",), True),
        (("base",), False),
        (("overlay",), True),
        (("removed",), True),
        (("section", "base"), False),
        (("section", "missing"), False),
        (("overlay", "missing"), True),
        (("list", 0), True),
        (("list", 7), True),
        (("nowhere",), False),
    ],
)
def test_an_error_goes_to_the_file_that_wrote_the_value_or_its_nearest_parent(
    path: tuple[str | int, ...], expected: bool
):
    base = {"both": 1, "base": 2, "removed": 3, "section": {"base": 4}, "list": [1]}
    overlay = {"both": 5, "overlay": {"x": 6}, "removed": None, "section": {"overlay": 7}, "list": [8]}

    assert comes_from_overlay(base, overlay, path) is expected


def leaves(document: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every value that is no mapping, with its path (as text, so that it can be a key)."""
    found = []
    for key, value in document.items():
        below = leaves(value, (*path, key)) if isinstance(value, dict) else [((*path, key), repr(value))]
        found += below
    return found

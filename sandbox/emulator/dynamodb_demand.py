"""What a DynamoDB request consumes: which table or index, how many units, which partition key.

Writes cost 1 unit per started KB, strongly consistent reads 1 unit per started 4 KB, eventually consistent ones
half of it; transactions cost double. A write to the table is a write to each index whose view of the item changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ministack.services import dynamodb

from sandbox.emulator.wrapping import original

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096

Table = dict[str, Any]
Item = dict[str, Any]

_item_bytes = original(dynamodb, "_item_size_bytes")
_index_write_units = original(dynamodb, "_index_write_units")
_key_value = original(dynamodb, "_extract_key_val")


@dataclass(frozen=True, slots=True)
class Charge:
    """`units` of one table (index None) or one global secondary index. kind: Read or Write."""

    table: str
    arn: str
    kind: str
    units: float
    partition: str | None
    index: str | None = None


def write_units(size: int) -> float:
    return max(1.0, float(-(-size // WRITE_UNIT_BYTES)))


def read_units(size: int, *, consistent: bool) -> float:
    return max(1.0, float(-(-size // READ_UNIT_BYTES))) * (1.0 if consistent else 0.5)


def stored_item(table: Table, attributes: Mapping[str, Any]) -> Item | None:
    """The item with the key that `attributes` (a Key, or a whole item) names, if there is one."""
    sort_name = table["sk_name"]
    partition = _key_value(attributes.get(table["pk_name"]))
    sort = _key_value(attributes.get(sort_name)) if sort_name else "__no_sort__"
    found: Item | None = table["items"].get(partition, {}).get(sort)
    return found


def write(table: Table, old: Item | None, new: Item | None, key: Mapping[str, Any]) -> list[Charge]:
    """Charges of turning `old` into `new`; `key` names the partition. Both may be missing: that costs 1 unit."""
    size = max(_item_bytes(old) if old else 0, _item_bytes(new) if new else 0)
    units = write_units(size)
    for index in table.get("LocalSecondaryIndexes") or ():
        units += _index_write_units(table, index, old, new)  # local indexes live on the table's capacity
    partition = str(_key_value(key.get(table["pk_name"])))
    own = Charge(table["TableName"], table["TableArn"], "Write", units, partition)
    return [own] + [
        _index_charge(table, index, "Write", index_units, new or old or {})
        for index in table.get("GlobalSecondaryIndexes") or ()
        if (index_units := _index_write_units(table, index, old, new))
    ]


def read(table: Table, item: Item | None, key: Mapping[str, Any], *, consistent: bool) -> list[Charge]:
    units = read_units(_item_bytes(item) if item else 0, consistent=consistent)
    partition = str(_key_value(key.get(table["pk_name"])))
    return [Charge(table["TableName"], table["TableArn"], "Read", units, partition)]


def page(table: Table, data: Mapping[str, Any], size: int) -> list[Charge]:
    """Charges of one Query or Scan page that read `size` bytes. It has no single partition: a Scan reads them
    all, and a Query's key condition is not worth parsing a second time.
    """
    units = read_units(size, consistent=bool(data.get("ConsistentRead")))
    if name := data.get("IndexName"):
        for index in table.get("GlobalSecondaryIndexes") or ():
            if index["IndexName"] == name:
                return [_index_charge(table, index, "Read", units, {})]
    return [Charge(table["TableName"], table["TableArn"], "Read", units, None)]


def index_debts(table: Table) -> list[Charge]:
    """A charge of nothing on each global index: refused where the index is in debt, granted otherwise."""
    return [
        _index_charge(table, index, "Write", 0.0, {}) for index in table.get("GlobalSecondaryIndexes") or ()
    ]


def times(factor: float, charges: Iterable[Charge]) -> list[Charge]:
    return [replace(charge, units=charge.units * factor) for charge in charges]


def beyond(actual: list[Charge], taken: list[Charge]) -> list[Charge]:
    """What `actual` costs more than `taken` already paid, per table or index."""
    paid = {charge.arn: charge.units for charge in taken}
    return [
        replace(charge, units=extra)
        for charge in actual
        if (extra := charge.units - paid.get(charge.arn, 0.0)) > 0
    ]


def _index_charge(table: Table, index: Mapping[str, Any], kind: str, units: float, item: Item) -> Charge:
    name = index["IndexName"]
    hash_key = index["KeySchema"][0]["AttributeName"]
    partition = str(_key_value(item[hash_key])) if hash_key in item else None
    return Charge(table["TableName"], f"{table['TableArn']}/index/{name}", kind, units, partition, name)

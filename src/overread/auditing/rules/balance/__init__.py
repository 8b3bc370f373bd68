"""Balance: classes of unequal size, findings that are rare or never alone, columns and sources that go with one."""

from overread.auditing.rules.balance.find import RULE, find_imbalance

__all__ = ["RULE", "find_imbalance"]

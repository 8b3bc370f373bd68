"""Defects planted into real sets, and what the audit finds of them."""

"""Certificates: self-contained proofs of bounds, and the one judge that re-proves them."""

from zerogap.checker.check import Verdict, verify

__all__ = ["Verdict", "verify"]

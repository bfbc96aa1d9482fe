"""Certificates: self-contained proofs of bounds, and the one judge that re-proves them."""

from zerogap.certificates.check import Verdict, verify

__all__ = ["Verdict", "verify"]

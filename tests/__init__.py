"""Tests of Intarsia; the folders mirror src/intarsia."""

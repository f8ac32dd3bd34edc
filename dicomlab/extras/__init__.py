"""Rooms that need further packages: each has a pip extra of its name (``pip install dicomlab[seg]``) and knows no other.

They are imported when used: ``import dicomlab`` does without their packages.
"""

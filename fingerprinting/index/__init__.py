"""Fingerprints made searchable: one file per kind of index, each the fast twin of a brute-force comparison."""

"""Audio: decode to PCM, and one file per fingerprint algorithm."""

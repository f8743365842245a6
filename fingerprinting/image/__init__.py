"""Images: decode, and one file per fingerprint algorithm."""

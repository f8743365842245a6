"""The demo: the whole promise on real media, through the real interfaces, as three different people."""

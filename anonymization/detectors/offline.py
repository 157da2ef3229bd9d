"""Keeps detection off the network."""

import tldextract


def keep_tldextract_offline() -> None:
    """Use the public suffix list shipped with tldextract, whoever imported it first and with whatever environment."""
    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    offline("example.org")
    tldextract.tldextract.TLD_EXTRACTOR = offline

"""The recognizers of the shipped detector: what presidio-analyzer brings, and our own."""

import os

# presidio's e-mail recognizer asks tldextract, which downloads the public suffix list on first use unless this is empty
# before it is imported. Detection must work without network and must not depend on what a server answered today.
os.environ["TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS"] = ""

"""Identity providers that speak SAML. Their keys are made once; their tests skip where xmlsec1 is absent."""

import shutil

import pytest

from tests.access.federation.flows import Flow, new_browser
from tests.access.federation.saml_idp import IdentityPeer, KeyPair, make_key_pair
from tests.conftest import new_tenant
from tests.vaultsite.conftest import plain_static

__all__ = ["plain_static"]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    if shutil.which("xmlsec1") is None:
        pytest.skip("SAML needs the program xmlsec1")
    return make_key_pair(tmp_path_factory.mktemp("idp"))


@pytest.fixture(scope="session")
def other_keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return make_key_pair(tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="module")
def peer(keys: KeyPair) -> IdentityPeer:
    return IdentityPeer(keys)


@pytest.fixture(scope="module")
def shared_flow(peer: IdentityPeer) -> Flow:
    return Flow(new_tenant("saml"), peer)


@pytest.fixture
def flow(shared_flow: Flow, plain_static: None) -> Flow:
    """A provider, and a browser in which nobody is signed in."""
    shared_flow.browser = new_browser()
    return shared_flow

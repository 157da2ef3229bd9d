import pytest
from django.test import override_settings

from tests.forks import ending_of, fork
from vaultsite.kernel.crypto.kms.local import LocalKMS
from vaultsite.kernel.errors import ProviderMissing
from vaultsite.kernel.providers import load_provider, reset_providers

LOCAL = "vaultsite.kernel.crypto.kms.local.LocalKMS"


@pytest.fixture(autouse=True)
def _fresh():
    reset_providers()
    yield
    reset_providers()


def test_the_chosen_class_gets_its_options_once(tmp_path):
    with override_settings(VAULT={"KMS": {"BACKEND": LOCAL, "OPTIONS": {"directory": tmp_path / "kms"}}}):
        kms = load_provider("KMS")
        assert isinstance(kms, LocalKMS)
        assert load_provider("KMS") is kms
        assert kms.describe().key_version == "1"
        assert (tmp_path / "kms" / "v000001.json").exists()
        reset_providers()
        assert load_provider("KMS") is not kms


def test_a_forked_process_makes_its_own(tmp_path):
    with override_settings(VAULT={"KMS": {"BACKEND": LOCAL, "OPTIONS": {"directory": tmp_path}}}):
        kms = load_provider("KMS")

        def compare():
            assert load_provider("KMS") is not kms

        assert ending_of(fork(compare)) == 0
        assert load_provider("KMS") is kms


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (None, "is not set"),
        ({"BACKEND": "nowhere.at.all.Class"}, "names no module"),
        ({"BACKEND": "vaultsite.kernel.crypto.kms.abacus.AbacusKMS"}, "names no module"),
        ({"BACKEND": "vaultsite.kernel.crypto.kms.local.NoSuchClass"}, "names no class"),
        ({"BACKEND": "LocalKMS"}, "names no class"),
    ],
)
def test_a_choice_that_names_nothing_is_missing(chosen, message):
    with override_settings(VAULT={"KMS": chosen}), pytest.raises(ProviderMissing, match=message):
        load_provider("KMS")


def test_a_missing_package_names_the_extra_that_brings_it(tmp_path, monkeypatch):
    (tmp_path / "abacus.py").write_text("import a_package_nobody_has.client\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    chosen = {"BACKEND": "abacus.AbacusKMS"}
    message = r"KMS needs the package 'a_package_nobody_has': install llm-data-vault\[abacus\]"
    with override_settings(VAULT={"KMS": chosen}), pytest.raises(ProviderMissing, match=message):
        load_provider("KMS")

"""Errors of posture: VAULT_COMP_8160 to 8179."""

from vaultsite.kernel.errors import VaultError


class ProbeRunNotFound(VaultError):
    """There is no such run of probes in this organization."""

    code, slug, status = "VAULT_COMP_8160", "probe-run-not-found", 404
    title = "There is no such run of probes"
    outcome = "denied"


class ProbesUnderWay(VaultError):
    """Probes run one turn at a time; wait for its end."""

    code, slug, status = "VAULT_COMP_8161", "probes-under-way", 409
    title = "Probes are being run already"


class ControlNotFound(VaultError):
    """No framework has a control of this id."""

    code, slug, status = "VAULT_COMP_8162", "control-not-found", 404
    title = "There is no such control"
    outcome = "denied"


class ProbeResultNotFound(VaultError):
    """There is no such result in this organization."""

    code, slug, status = "VAULT_COMP_8163", "probe-result-not-found", 404
    title = "There is no such result of a probe"
    outcome = "denied"


class ControlIsProbed(VaultError):
    """What probes try is proven by them alone; nobody's word makes it so."""

    code, slug, status = "VAULT_COMP_8164", "control-is-probed", 409
    title = "This control is proven by probes, not attested"


class EvidenceNotFound(VaultError):
    """There is no such evidence in this organization."""

    code, slug, status = "VAULT_COMP_8165", "evidence-not-found", 404
    title = "There is no such evidence"
    outcome = "denied"


class EvidenceWithdrawn(VaultError):
    """It was withdrawn: its document is gone, and it attests nothing."""

    code, slug, status = "VAULT_COMP_8166", "evidence-withdrawn", 410
    title = "This evidence was withdrawn"


class FrameworkNotFound(VaultError):
    """The vault has no framework of this name."""

    code, slug, status = "VAULT_COMP_8167", "framework-not-found", 404
    title = "There is no such framework"
    outcome = "denied"

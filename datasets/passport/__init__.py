"""The data passport: what a set of exported files is, signed, so that anybody can check it without the vault."""

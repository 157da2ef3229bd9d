"""Exports of the audit: files for spreadsheets, programs, SIEM systems and auditors."""

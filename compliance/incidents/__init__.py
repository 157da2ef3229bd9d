"""Incidents: from a suspicion to the last notification, with the clocks of the law and a timeline nobody rewrites."""

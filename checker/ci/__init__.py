"""Everything of a project checked at once: settings, jobs, a cache of verdicts, and what each verdict amounts to.

`quorate ci` and the pytest plugin are two faces of this. Nothing here prints.
"""

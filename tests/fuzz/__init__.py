"""Damaged files by the thousand, read and converted in a process of its own: what is neither refused nor right is told.

samples/ draws good files, containers/ takes them apart, mutations.py damages them, worker.py has them read by a target
of targets.py, verdict.py says what came of it, shrink.py makes a finding small, session.py goes through it all.
"""

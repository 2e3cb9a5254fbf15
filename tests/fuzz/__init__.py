"""Damaged files by the thousand, read and converted in a process of their own: what is neither refused nor right is found.

samples/ draws good files, containers/ takes them apart, mutations.py damages them, worker.py reads them with targets.py,
verdict.py says what is wrong, shrink.py makes a finding small, session.py goes through it all.
"""

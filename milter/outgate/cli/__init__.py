"""The `outgate` command: one module for each noun.

Exit codes: 0 done, 1 found or no, 2 usage, and those of sysexits.h: 66 a file cannot be
read, 73 something cannot be created, 75 try again later, 78 the configuration. Imports
that cost time stand inside commands, so that `--help` and completion are quick.
"""

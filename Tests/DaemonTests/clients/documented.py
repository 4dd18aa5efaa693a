"""Runs a program that the documentation shows: the Python block of FILE that holds MARKER, with every OLD replaced by NEW.

usage: documented.py FILE MARKER [OLD=NEW …]
"""

import pathlib
import re
import sys

file, marker, *replacements = sys.argv[1:]
blocks = re.findall(r"```python\n(.*?)```", pathlib.Path(file).read_text(), re.DOTALL)
(program,) = [block for block in blocks if marker in block]
for replacement in replacements:
    old, new = replacement.split("=", 1)
    assert old in program, old
    program = program.replace(old, new)
exec(compile(program, file, "exec"), {"__name__": "__main__"})

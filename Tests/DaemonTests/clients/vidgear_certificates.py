"""The key files that vidgear makes for NetGear's secure modes, in FOLDER/.vidgear/keys. The exit code is 77 where a module is
missing.

usage: vidgear_certificates.py FOLDER
"""

import sys

try:
    from vidgear.gears.helper import generate_auth_certificates
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(77)

print(generate_auth_certificates(sys.argv[1])[0], flush=True)

"""Two key pairs as pyzmq makes them, named server and client.

usage: pyzmq_certificates.py FOLDER
"""

import sys

import zmq.auth

for name in ["server", "client"]:
    zmq.auth.create_certificates(sys.argv[1], name)

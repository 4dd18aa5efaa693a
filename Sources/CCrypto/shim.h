// OpenSSL's digests, for the SHA-256 of checkpoints (Debian: libssl-dev).
#include <openssl/evp.h>

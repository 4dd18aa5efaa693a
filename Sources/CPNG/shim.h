// libpng's C interface (Debian: libpng-dev).
#include <png.h>

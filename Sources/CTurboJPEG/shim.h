// libjpeg-turbo's TurboJPEG interface (Debian: libturbojpeg0-dev).
#include <turbojpeg.h>

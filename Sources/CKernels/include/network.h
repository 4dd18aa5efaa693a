// (placeholder) the network family
#pragma once
#include "isa.h"

// (placeholder) the imaging family
#pragma once
#include "isa.h"

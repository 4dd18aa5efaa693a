// The inner loops of the engine, compiled once for each instruction set.
//
// Every family of loops is one source (`<family>.inc.h`) included by one small .c file an instruction set;
// a family's functions are reached through a table chosen once at start (see `isa.h`), never through global state.
#pragma once
#include "isa.h"
#include "direct.h"
#include "finish.h"
#include "imaging.h"
#include "network.h"
#include "winograd.h"

#include "CUSBFS.h"

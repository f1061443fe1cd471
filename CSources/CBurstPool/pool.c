#include "CBurstPool.h"

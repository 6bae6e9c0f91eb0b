/* Memory behind the program's data.  It is never given back: programs are short. */
#pragma once

#include "libc.h"

/* n bytes of zeros, each block right behind the one before it; running out ends the program. */
void *allocate(u32 n);

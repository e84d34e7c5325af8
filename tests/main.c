// The tests of the library as users build it. One translation unit, so that tests see the private
// functions of r1.h. A new file tests/test_*.c gets a line in the list below.
#define R1_IMPLEMENTATION
#include "../r1.h"
#include "test.h"

#include "test_base.c"
#include "test_number.c"

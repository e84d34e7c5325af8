// Not allowed: a system header before the implementation.
#include <stdio.h>
#define R1_IMPLEMENTATION
#include "../../r1.h"
int main(void) { return 0; }

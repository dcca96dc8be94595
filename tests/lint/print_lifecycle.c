/* Prints the diagram of track/lifecycle.def, for ARCHITECTURE.md. */
#include <stdio.h>

#include "track/lifecycle.h"

int main(void)
{
    lifecycle_print_diagram(stdout);
    return 0;
}

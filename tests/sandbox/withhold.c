/* withhold landlock|seccomp|both COMMAND ARGUMENT...: runs it as on a kernel without that. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "withheld.h"

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "seccomp") != 0)
        withhold_landlock();
    if (strcmp(argv[1], "landlock") != 0)
        withhold_seccomp();
    execv(argv[2], argv + 2);
    perror(argv[2]);
    return 2;
}

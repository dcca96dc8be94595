/* Fuzz target of the whole program, nDPI included: any bytes as a capture file. Slow, since nDPI
 * starts anew with each input that has a session; the target without it looks at everything else. */
#include "whole_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    whole_program_run(bytes, size, false);
    return 0;
}

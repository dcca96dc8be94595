/* Fuzz target of the whole program without nDPI: any bytes as a capture file. */
#include "whole_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    whole_program_run(bytes, size, true);
    return 0;
}

/* The stages from capture/ to detect/ over bytes in memory, with what must hold of any input. */
#ifndef APNSCOPE_TESTS_FUZZ_WHOLE_PROGRAM_H
#define APNSCOPE_TESTS_FUZZ_WHOLE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void whole_program_run(const uint8_t *bytes, size_t size, bool without_ndpi);

#endif
